import { performance } from 'node:perf_hooks';
import { isBetter, keptSnapshots, type Snapshot } from '@gradwire/checkpoint';
import { toError } from '@gradwire/errors';
import type { CoordinatorEvent } from '../events.ts';
import type { Run } from '../run.ts';
import type { Sessions } from '../sessions.ts';
import type { RunStorage } from './open-storage.ts';
import type { ResumePoint } from './resume-point.ts';
import { createInterval, type SnapshotInterval } from './snapshot-interval.ts';

/** What snapshots are made from, and where they go. */
export interface SnapshotsOptions {
  /** Of the run directory. */
  readonly name: string;
  readonly storage: RunStorage;
  readonly run: Run;
  readonly sessions: Sessions;
  /** A fixed interval; default: chosen from the measured cost. */
  readonly everySteps?: number | undefined;
  readonly onEvent: (event: CoordinatorEvent) => void;
}

/** Takes snapshots of a run, one at a time and in the background. */
export interface Snapshots {
  /** A round was closed and written down: takes one if it is due. This costs a copy of the optimizer's vectors. */
  roundClosed(): void;
  /** Takes one of this moment, due or not; where the engine has no clean boundary, none. */
  take(): void;
  /** Resolves when nothing is being written any more. Never rejects. */
  settled(): Promise<void>;
  /**
   * Takes none from now on, waits for the one that is being written, asks for the point to go back to, and removes all
   * later ones.
   */
  goBack(find: () => Promise<ResumePoint>): Promise<ResumePoint>;
  /** The run has gone back, and takes snapshots again. */
  goOn(): void;
}

export function createSnapshots(options: SnapshotsOptions): Snapshots {
  const { storage, onEvent } = options;
  const { recorder, store, claim } = storage;
  let interval = startInterval(options, recorder.steps);
  let kept = [...(storage.point?.kept ?? [])];
  let writing: Promise<void> | undefined;
  let next: Captured | undefined;
  let isGoingBack = false;

  const write = async ({ snapshot, startMs, copyMs }: Captured): Promise<void> => {
    const { step, evaluation } = snapshot.record;
    try {
      // Before the snapshot that counts on them.
      await recorder.flush();
      if (await claim.check()) return;
      const bytes = await store.write(snapshot);
      const entry = { step, ...(evaluation ? { evaluation } : {}) };
      kept = keptSnapshots([...kept.filter((each) => each.step < step), entry]);
      interval.done(performance.now(), performance.now() - startMs);
      onEvent({ type: 'snapshot', step, bytes, copyMs, milliseconds: performance.now() - startMs });
      // Those of a coordinator that has taken over meanwhile are not ours to remove.
      if (await claim.check()) return;
      await store.prune((each) => kept.some((one) => one.step === each));
    } catch (error) {
      interval.failed(performance.now());
      onEvent({ type: 'problem', message: describeFailure(step, kept.at(-1)?.step, toError(error)) });
    }
  };
  const writeAll = async (): Promise<void> => {
    while (next) {
      const captured = next;
      next = undefined;
      await write(captured);
    }
    writing = undefined;
  };
  const take = (): void => {
    const captured = isGoingBack ? undefined : capture(options);
    if (captured === undefined) return;
    interval.taken(captured.snapshot.record.step);
    // One that still waits is older: this one replaces it.
    next = captured;
    writing ??= writeAll();
  };
  return {
    roundClosed() {
      const { evaluations, steps: step } = recorder;
      const evaluation = evaluations.at(-1);
      const best = kept.find((each) => kept.every((other) => !isBetter(other, each)));
      const isBest = evaluation?.step === step && isBetter({ evaluation }, best);
      if (interval.isDue({ step, nowMs: performance.now(), isBest, isBusy: writing !== undefined })) take();
    },
    take,
    async settled() {
      await writing;
    },
    async goBack(find) {
      // What the engine holds now is wrong.
      isGoingBack = true;
      await writing;
      const point = await find();
      kept = [...point.kept];
      await store.prune((step) => kept.some((one) => one.step === step));
      await store.settle();
      return point;
    },
    goOn() {
      interval = startInterval(options, recorder.steps);
      isGoingBack = false;
    },
  };
}

function startInterval({ everySteps }: SnapshotsOptions, step: number): SnapshotInterval {
  const interval = createInterval(everySteps);
  interval.taken(step);
  return interval;
}

interface Captured {
  readonly snapshot: Snapshot;
  readonly startMs: number;
  /** How long the run had to wait. */
  readonly copyMs: number;
}

function capture({ name, storage, run, sessions }: SnapshotsOptions): Captured | undefined {
  const startMs = performance.now();
  const state = run.snapshot();
  // Before the first round there is nothing to keep.
  if (state?.lastRound === undefined) return undefined;
  const { lastRound, weights, optimizer, epochTotals } = state;
  const { recorder, claim, identity } = storage;
  const step = recorder.steps;
  const evaluation = recorder.evaluations.at(-1);
  const result =
    evaluation?.step === step ? { evaluation: { accuracy: evaluation.accuracy, loss: evaluation.loss } } : {};
  const record = {
    run: name,
    term: claim.term,
    ...identity,
    seconds: run.seconds,
    backends: Object.fromEntries(sessions.backends),
    step,
    lastRound,
    epochTotals,
    files: recorder.position(),
    ...result,
  };
  return { snapshot: { record, weights, optimizer }, startMs, copyMs: performance.now() - startMs };
}

function describeFailure(step: number, last: number | undefined, { message }: Error): string {
  const rest = last === undefined ? 'there is none yet' : `the one of step ${last} stands`;
  return `no snapshot of step ${step}, the run goes on (${rest}): ${message}`;
}
