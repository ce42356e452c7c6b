import type { IncomingMessage } from 'node:http';
import { type ErrorCode, GradwireError } from '@gradwire/errors';
import type { ChannelAddress } from './channel-url.ts';
import { refusalHeader } from './refuse-upgrade.ts';

/** What happened, and what to do about it. */
interface Explanation {
  readonly what: string;
  readonly hint: string;
}

const isItRunning = 'Check that the coordinator is running and that host and port are the ones it printed.';
const isItReachable = 'Check the network, and that a firewall lets the port through.';
const isItGradwire = 'Something else listens there: use the address that the coordinator printed.';

/** Node's code for it, whether the system has waited or we have. */
export const silenceCode = 'ETIMEDOUT';

/** By the code of the error that Node or ws gives. */
const explanations: Readonly<Record<string, Explanation>> = {
  ECONNREFUSED: { what: 'connection refused: nothing listens on that port', hint: isItRunning },
  ENOTFOUND: {
    what: 'the host name is not known',
    hint: 'Check the spelling, or use the IP address that the coordinator printed.',
  },
  EAI_AGAIN: { what: 'the name server does not answer', hint: 'Check the network, or use the IP address.' },
  [silenceCode]: { what: 'no answer in time', hint: isItReachable },
  EHOSTUNREACH: { what: 'there is no way to that host', hint: isItReachable },
  ENETUNREACH: { what: 'there is no way to that network', hint: isItReachable },
  ECONNRESET: {
    what: 'the connection was dropped before an answer came',
    hint: 'Check the scheme: a server with TLS needs wss:// instead of ws://. Else it may be overloaded: try again.',
  },
  EPROTO: { what: 'the server does not speak TLS', hint: 'Use ws:// instead of wss://.' },
  DEPTH_ZERO_SELF_SIGNED_CERT: {
    what: 'the certificate is signed by nobody else and not known here',
    hint: 'Use the whole address that the coordinator prints: its last part is the fingerprint of the certificate.',
  },
};

/** An attempt that ended without an HTTP answer. */
export function connectionError(error: Error & { code?: string }, address: ChannelAddress): GradwireError {
  if (error instanceof GradwireError) return error;
  const { what, hint } = explain(error);
  return new GradwireError('CONNECTION_FAILED', `${describe(address)}: ${what}`, { cause: error, hint });
}

function explain(error: Error & { code?: string }): Explanation {
  const { code = '', message } = error;
  const known = explanations[code];
  if (known) return known;
  if (code.startsWith('HPE_'))
    return { what: 'not a Gradwire coordinator: the answer is not HTTP', hint: isItGradwire };
  if (message.includes('handshake has timed out')) return { what: 'no answer in time', hint: isItReachable };
  if (/subprotocol|Sec-WebSocket|Upgrade header/i.test(message)) {
    return { what: `not a Gradwire coordinator: ${message}`, hint: isItGradwire };
  }
  return { what: code === '' ? message : `${message} (${code})`, hint: isItRunning };
}

/** Whether an error, or what led to it, is that nothing came from the other side for too long. */
export function isSilence(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ('code' in error && error.code === silenceCode) || isSilence(error.cause);
}

/** An attempt that was answered, but not with an upgrade. */
export function refusalError(
  response: IncomingMessage,
  body: string,
  address: ChannelAddress,
): GradwireError {
  const where = describe(address);
  const status = response.statusCode ?? 0;
  if (status === 401) {
    return new GradwireError('TOKEN_WRONG', `${where}: the coordinator does not accept the join token`, {
      hint: 'Use the whole address that the coordinator printed when it was started; each start has a new token.',
    });
  }
  if (status === 403) {
    return new GradwireError('TOKEN_WRONG', `${where}: ${readMessage(body)}`, {
      hint: 'Ask whoever started the run for the address for workers.',
    });
  }
  const refusal = response.headers[refusalHeader];
  if (typeof refusal !== 'string') {
    const what = `not a Gradwire coordinator: HTTP status ${status} instead of an upgrade`;
    return new GradwireError('CONNECTION_FAILED', `${where}: ${what}`, { hint: isItGradwire });
  }
  if (refusal === 'WORKER_UNKNOWN') {
    const hint = 'gradwire status with the same address lists the workers.';
    return new GradwireError('OPTION_INVALID', readMessage(body), { hint });
  }
  const isPath = refusal === 'PATH_WRONG' || refusal === 'METHOD_WRONG';
  const code: ErrorCode = isPath ? 'CONNECTION_FAILED' : 'CONNECTION_REFUSED';
  const hint = isPath ? 'Use the path of the address that the coordinator printed.' : 'Try again later.';
  return new GradwireError(
    code,
    `${where}: ${isPath ? `wrong path ${address.path}. ` : ''}${readMessage(body)}`,
    { hint },
  );
}

/** The other side is not the coordinator that printed the address. */
export function impostorError(address: ChannelAddress, how: string): GradwireError {
  return new GradwireError(
    'IDENTITY_WRONG',
    `${describe(address)}: not the coordinator of this token: ${how}`,
    {
      hint: 'Something else listens there, or stands between: compare the address with the printed one. Nothing was told to it.',
    },
  );
}

function readMessage(body: string): string {
  try {
    const { message } = JSON.parse(body) as { message?: unknown };
    if (typeof message === 'string') return message.replace(/\p{Cc}/gu, ' ').slice(0, 300);
  } catch {
    // Not what a coordinator sends: see below.
  }
  return 'The coordinator gave no reason.';
}

function describe({ host, port }: ChannelAddress): string {
  return `cannot join at ${host}:${port}`;
}
