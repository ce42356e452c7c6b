import type { FailureReport, RunResult } from './events.ts';
import type { RunEnd } from './run.ts';

/** How the run ended; `failure` is the first cause over all machines. */
export interface Ended {
  readonly outcome: RunResult['outcome'];
  readonly failure: FailureReport | undefined;
}

/** Collects what workers say of their failures until the run ends. */
export interface Ending {
  /** Resolves once. */
  readonly ended: Promise<Ended>;
  /** Whether there is nothing that workers could come back for. */
  readonly isFinal: boolean;
  /** A worker failed; the run may go on without it. */
  note(failure: FailureReport): void;
  /** The cause, if the engine is about to end for a reason outside it. */
  blame(failure: FailureReport): void;
  /** The first worker that failed, if any did. */
  firstNoted(): FailureReport | undefined;
  /** The engine has ended. */
  end(end: Pick<RunEnd, 'outcome' | 'error'>): void;
}

/** Of a run in which worker after worker fails, the first report and the latest are kept. */
const mostNoted = 100;

/** Starts to collect. */
export function createEnding(): Ending {
  const noted: FailureReport[] = [];
  let cause: FailureReport | undefined;
  let isFinal = false;
  let resolve: (ended: Ended) => void;
  const ended = new Promise<Ended>((settle) => {
    resolve = settle;
  });
  return {
    ended,
    get isFinal() {
      return isFinal;
    },
    note(failure) {
      noted.push(failure);
      // The first one stays.
      if (noted.length > mostNoted) noted.splice(1, 1);
    },
    blame(failure) {
      cause ??= failure;
    },
    firstNoted: () => noted[0],
    end({ outcome, error }) {
      isFinal = outcome !== 'stopped';
      const found = error && withDetails(error, noted);
      resolve({ outcome, failure: outcome === 'failed' ? (cause ?? found) : undefined });
    },
  };
}

/** The engine's error says which worker failed first; that worker's own report has the stack and the last lines. */
function withDetails(
  { code, message }: NonNullable<RunEnd['error']>,
  noted: readonly FailureReport[],
): FailureReport {
  const error = { code, message };
  if (error.code !== 'WORKER_FAILED') return error;
  const report = noted.find((each) => message.includes(each.message));
  return { ...report, ...error };
}
