import type { EnginePlan, RunState } from '@gradwire/engine';
import type { RollBack, Run } from '../run.ts';
import type { RunStorage } from './open-storage.ts';
import { startOf } from './resume-point.ts';
import type { Snapshots } from './snapshots.ts';

/** What goes back. */
export interface GoBackOptions {
  readonly plan: EnginePlan;
  readonly run: Run;
  readonly storage: RunStorage;
  readonly snapshots: Snapshots;
}

/**
 * Goes back to the newest snapshot with at most `step` steps committed, or to the start: files first, then the engine.
 * Later snapshots are removed before anything else, so that a crash in the middle resumes from the right one.
 * Resolves to the steps that are left. Rejects with FILE_CORRUPT or FILE_WRITE_FAILED.
 */
export async function goBack(
  { plan, run, storage, snapshots }: GoBackOptions,
  { step }: RollBack,
): Promise<number> {
  const point = await snapshots.goBack(() => storage.pointBefore(step));
  await storage.recorder.goBack(point.lines);
  run.restore(point.snapshot ? startOf(point.snapshot).state : initialState(plan));
  snapshots.goOn();
  return storage.recorder.steps;
}

function initialState({ initialWeights }: EnginePlan): RunState {
  const epochTotals = { samples: 0, loss: 0, correct: 0 };
  return { weights: initialWeights.slice(), optimizer: {}, epochTotals };
}
