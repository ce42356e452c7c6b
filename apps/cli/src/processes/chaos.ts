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

/** Who is harmed. */
export interface ChaosSubjects {
  /** The processes that there are now, by name. */
  readonly running: () => ReadonlyMap<string, ChildProcess>;
  /** Told before it happens. */
  readonly onHarm: (name: string) => void;
}

/** Harms one worker after the other, in turn, until the function that it returns is called. */
export function startChaos({ kind, everyMs }: Chaos, { running, onHarm }: ChaosSubjects): () => void {
  let turn = 0;
  let stopped: ChildProcess | undefined;
  let waking: NodeJS.Timeout | undefined;
  const wake = (): void => {
    clearTimeout(waking);
    stopped?.kill('SIGCONT');
    stopped = undefined;
  };
  const timer = setInterval(() => {
    const children = [...running()];
    const [name, child] = children[turn++ % Math.max(1, children.length)] ?? [];
    if (name === undefined || child === undefined) return;
    onHarm(name);
    if (kind === 'kill') {
      child.kill('SIGKILL');
      return;
    }
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
