import { performance } from 'node:perf_hooks';

/** A timer takes no more: 24 days. */
const longestMs = 2 ** 31 - 1;

/** One timer for whatever is due next. */
export interface Alarm {
  /** Call it whenever what is due may have changed. */
  arm(): void;
}

/**
 * Creates an alarm that rings when `nextMs()` has come, on the clock of `performance.now()`, and then asks again. It keeps
 * a process alive no longer than its sockets do.
 */
export function createAlarm(nextMs: () => number | undefined, ring: (nowMs: number) => void): Alarm {
  let timer: NodeJS.Timeout | undefined;
  let armedMs: number | undefined;
  const arm = (): void => {
    const dueMs = nextMs();
    if (dueMs === armedMs) return;
    clearTimeout(timer);
    armedMs = dueMs;
    if (dueMs === undefined) return;
    timer = setTimeout(wait, Math.min(Math.max(dueMs - performance.now(), 1), longestMs));
    timer.unref();
  };
  const goOff = (): void => {
    armedMs = undefined;
    ring(performance.now());
    arm();
  };
  // What has come meanwhile is read before immediates are called: whoever is late must not be so because this process was.
  const wait = (): void => void setImmediate(goOff);
  return { arm };
}
