import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Console } from '../output/console.ts';
import { programName } from '../output/program-name.ts';

/** Where workers can reach a coordinator. */
export interface JoinAddress {
  readonly host: string;
  readonly port: number;
  /** What stands after `#`. */
  readonly secret: string;
  /** The same for those who may only look. */
  readonly observerSecret: string;
  readonly isSecure: boolean;
}

/** Says which commands join a run: one for each address under which this machine may be reached. */
export function sayJoinCommands(
  console: Console,
  { host, port, secret, observerSecret, isSecure }: JoinAddress,
): void {
  const where = isLoopback(host) ? 'on this machine' : 'on any machine that reaches this one';
  console.say(`To add a worker, run ${where}:`);
  for (const address of addresses(host)) {
    console.say(`  gradwire worker ${urlOf(address, { port, isSecure })}#${secret}`);
  }
  if (!isSecure && !isLoopback(host)) {
    console.say(
      console.colors.dim('  (not encrypted: --tls self-signed for a network that you do not trust)'),
    );
  }
  const [nearest = host] = addresses(host);
  console.say('To watch the run, with a token that lets nobody join:');
  console.say(`  gradwire status ${urlOf(nearest, { port, isSecure })}#${observerSecret}`);
  const program = programName();
  if (program !== 'gradwire') console.say(console.colors.dim(`  (in a clone: ${program} worker …)`));
}

/** The coordinator's address for a worker on the same machine. */
export function localUrl({ host, ...where }: Omit<JoinAddress, 'secret' | 'observerSecret'>): string {
  if (host === '0.0.0.0') return urlOf('127.0.0.1', where);
  return urlOf(host === '::' ? '::1' : host, where);
}

/** Whether only this machine can reach a coordinator that listens there. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function urlOf(host: string, { port, isSecure }: Pick<JoinAddress, 'port' | 'isSecure'>): string {
  return `${isSecure ? 'wss' : 'ws'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function addresses(host: string): string[] {
  if (host !== '0.0.0.0' && host !== '::') return [host];
  const outside = Object.values(networkInterfaces())
    .flat()
    .filter((address) => address !== undefined && !address.internal && !address.address.startsWith('fe80'))
    .filter((address) => host === '::' || address?.family === 'IPv4')
    .map((address) => address?.address ?? '');
  return outside.length > 0 ? outside : ['127.0.0.1'];
}
