import { performance } from 'node:perf_hooks';
import type { IncidentFacts } from './storage/incident-log.ts';

/** A look at both clocks of this machine, in milliseconds. */
export interface ClockLook {
  /** `performance.now()`: on some systems it stands still while the machine sleeps. */
  readonly steadyMs: number;
  /** Time of day: somebody may set it. */
  readonly wallMs: number;
}

const lookEveryMs = 1_000;
/** Less is a busy machine, or a clock that is put right. */
const noticeableMs = 5_000;

/** Takes down when this process did not run for a while, or the time of day jumped. Deadlines are the engine's: they start again. */
export function watchClock(note: (facts: IncidentFacts) => void): { stop(): void } {
  let before = look();
  const timer = setInterval(() => {
    const now = look();
    const message = describeJump(before, now);
    before = now;
    if (message !== undefined) note({ what: 'clock-jumped', message });
  }, lookEveryMs);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}

function look(): ClockLook {
  return { steadyMs: performance.now(), wallMs: Date.now() };
}

/** A sentence about what happened between two looks that should be a second apart; nothing if all is well. */
export function describeJump(before: ClockLook, now: ClockLook): string | undefined {
  const steadyMs = now.steadyMs - before.steadyMs;
  const wallMs = now.wallMs - before.wallMs;
  if (steadyMs - lookEveryMs > noticeableMs) {
    return `the coordinator did not run for ${seconds(steadyMs)}: deadlines start again`;
  }
  const jumpMs = wallMs - steadyMs;
  if (Math.abs(jumpMs) <= noticeableMs) return undefined;
  const way = jumpMs > 0 ? 'forwards' : 'back';
  return `the time of day jumped ${seconds(Math.abs(jumpMs))} ${way}, or the machine slept: no deadline depends on it`;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
