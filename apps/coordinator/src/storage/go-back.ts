import { type EnginePlan, initialState } from '@gradwire/engine';
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
 * That it does is written down first, then later snapshots are removed: a crash in the middle resumes from the right one.
 * Resolves to the steps that are left. Rejects with FILE_CORRUPT or FILE_WRITE_FAILED.
 */
export async function goBack(
  { plan, run, storage, snapshots }: GoBackOptions,
  { step }: RollBack,
): Promise<number> {
  await storage.claim.goBack(step);
  const point = await snapshots.goBack(() => storage.pointBefore(step));
  await storage.recorder.goBack(point.lines);
  await storage.claim.goBack(undefined);
  run.restore(point.snapshot ? startOf(point.snapshot).state : initialState(plan));
  snapshots.goOn();
  return storage.recorder.steps;
}
