import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';

/** Two hosts on one machine, joined by a cable; each sees nothing but itself and the other. */
export interface TwoHosts extends Disposable {
  readonly near: TestHost;
  readonly far: TestHost;
}

/** One of them. */
export interface TestHost {
  readonly address: string;
  /** Put before a command, it runs there. */
  readonly prefix: readonly string[];
}

/** Why this machine cannot make network namespaces; undefined if it can. */
export function whyNoNamespaces(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces exist on Linux only';
  if (process.getuid?.() !== 0) return 'making network namespaces needs root';
  try {
    createTwoHosts()[Symbol.dispose]();
    return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? 'the command ip is not installed (package iproute2)' : message;
  }
}

/** Makes the two hosts; disposing them takes them away. */
export function createTwoHosts(): TwoHosts {
  const id = randomBytes(3).toString('hex');
  const hosts = [
    { name: `gradwire-${id}-a`, device: `gw${id}a`, address: '10.231.7.1' },
    { name: `gradwire-${id}-b`, device: `gw${id}b`, address: '10.231.7.2' },
  ] as const;
  const [near, far] = hosts;
  const remove = (): void => {
    // Both are tried; the cable goes with either.
    for (const { name } of hosts) {
      try {
        ip('netns', 'del', name);
      } catch {
        // It was not made.
      }
    }
  };
  try {
    for (const { name } of hosts) ip('netns', 'add', name);
    ip(
      'link',
      'add',
      near.device,
      'netns',
      near.name,
      'type',
      'veth',
      'peer',
      'name',
      far.device,
      'netns',
      far.name,
    );
    for (const { name, device, address } of hosts) {
      ip('-n', name, 'addr', 'add', `${address}/24`, 'dev', device);
      ip('-n', name, 'link', 'set', device, 'up');
      ip('-n', name, 'link', 'set', 'lo', 'up');
    }
  } catch (error) {
    remove();
    throw error;
  }
  const [a, b] = hosts.map(({ name, address }) => ({ address, prefix: ['ip', 'netns', 'exec', name] }));
  return { near: a as TestHost, far: b as TestHost, [Symbol.dispose]: remove };
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
