import type { FailureReport, RunResult } from './events.ts';
import type { RunEnd } from './run.ts';

/** How the run ended; `failure` is the first cause over all machines. */
export interface Ended {
  readonly outcome: RunResult['outcome'];
  readonly failure: FailureReport | undefined;
}

/** Collects causes until the run ends. */
export interface Ending {
  /** Resolves once. */
  readonly ended: Promise<Ended>;
  /** A worker failed; the run may go on without it. */
  note(failure: FailureReport): void;
  /** The run cannot go on, for a reason outside the engine. */
  fail(failure: FailureReport): void;
  /** The engine has ended. */
  end(end: Pick<RunEnd, 'outcome' | 'error'>): void;
}

export function createEnding(): Ending {
  let first: FailureReport | undefined;
  let resolve: (ended: Ended) => void;
  const ended = new Promise<Ended>((settle) => {
    resolve = settle;
  });
  const end: Ending['end'] = ({ outcome, error }) =>
    resolve({ outcome, failure: outcome === 'failed' ? (first ?? error) : undefined });
  return {
    ended,
    end,
    note(failure) {
      first ??= failure;
    },
    fail(failure) {
      first ??= failure;
      end({ outcome: 'failed' });
    },
  };
}
