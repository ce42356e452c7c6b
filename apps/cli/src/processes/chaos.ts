import type { ChildProcess } from 'node:child_process';
import { InvalidArgumentError } from 'commander';

/** Harm that is done to the workers of this machine again and again. */
export interface Chaos {
  /** `kill`: killed without a warning, and started again; `stop`: stands still for half of the time. */
  readonly kind: 'kill' | 'stop';
  readonly everyMs: number;
}

/** Reads `kill/20s` or `stop/20s`: one worker every 20 s. Throws InvalidArgumentError, as commander expects. */
export function parseChaos(text: string): Chaos {
  const match = /^(kill|stop)\/(\d{1,6}(?:\.\d{1,3})?)s$/.exec(text);
  const everyMs = Number(match?.[2]) * 1000;
  if (match && everyMs > 0) return { kind: match[1] as Chaos['kind'], everyMs };
  throw new InvalidArgumentError('Expected kill or stop and an interval, for example kill/20s.');
}

/** Harms one worker after the other, in turn; `running` are those that there are now. Ends when it is called back. */
export function startChaos({ kind, everyMs }: Chaos, running: () => readonly ChildProcess[]): () => void {
  let turn = 0;
  let stopped: ChildProcess | undefined;
  let waking: NodeJS.Timeout | undefined;
  const wake = (): void => {
    clearTimeout(waking);
    stopped?.kill('SIGCONT');
    stopped = undefined;
  };
  const timer = setInterval(() => {
    const children = running();
    const child = children[turn++ % Math.max(1, children.length)];
    if (kind === 'kill') child?.kill('SIGKILL');
    if (kind === 'kill' || child === undefined) return;
    wake();
    stopped = child;
    child.kill('SIGSTOP');
    waking = setTimeout(wake, everyMs / 2);
  }, everyMs);
  return () => {
    clearInterval(timer);
    wake();
  };
}
