import { createHash } from 'node:crypto';
import { Agent, type AgentOptions } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { GradwireError } from '@gradwire/errors';
import type { ChannelAddress } from './channel-url.ts';
import { impostorError } from './connect-errors.ts';
import { isSameSecret, type JoinSecret } from './token.ts';

const agentOptions: AgentOptions = { keepAlive: true };
const handshakeMs = 10_000;

/**
 * Makes the connections to a coordinator. With a fingerprint they are only handed over once the other side has shown the
 * certificate with that SHA-256, so that nothing is sent before; who has signed it, and for which name, is then no matter.
 * Without one, `wss` trusts what Node trusts.
 *
 * @throws GradwireError OPTION_INVALID for a fingerprint without TLS: the connection would not be what was promised.
 */
export function createClientAgent(address: ChannelAddress, { fingerprint }: JoinSecret): Agent {
  if (fingerprint === undefined) {
    return address.isSecure ? new SecureAgent(agentOptions) : new Agent(agentOptions);
  }
  if (!address.isSecure) {
    throw new GradwireError(
      'OPTION_INVALID',
      `${address.url}: the token comes with the fingerprint of a certificate`,
      {
        hint: 'Use wss:// instead of ws://: the coordinator was started with TLS.',
      },
    );
  }
  // Node calls this for each connection that no idle one can take the place of.
  const createConnection = (options: ConnectionOptions, done: Done): void => {
    connectPinned({ options, address, fingerprint }, done);
  };
  return Object.assign(new SecureAgent(agentOptions), { createConnection });
}

type Done = (error: Error | null, socket?: TLSSocket) => void;

interface Pinned {
  readonly options: ConnectionOptions;
  readonly address: ChannelAddress;
  readonly fingerprint: string;
}

function connectPinned({ options, address, fingerprint }: Pinned, done: Done): void {
  // A resumed session would show no certificate.
  const socket = connect({ ...options, session: undefined, rejectUnauthorized: false });
  const fail = (error: Error): void => {
    socket
      .off('error', fail)
      .on('error', () => undefined)
      .destroy();
    done(error);
  };
  socket.once('error', fail);
  socket.setTimeout(handshakeMs, () => fail(new Error('the TLS handshake has timed out')));
  socket.once('secureConnect', () => {
    const { raw = new Uint8Array() } = socket.getPeerX509Certificate() ?? {};
    const found = createHash('sha256').update(raw).digest('hex');
    if (!isSameSecret(found, fingerprint)) {
      return fail(impostorError(address, `its certificate has the fingerprint ${found}`));
    }
    socket.off('error', fail).setTimeout(0);
    socket.removeAllListeners('timeout');
    done(null, socket);
  });
}
