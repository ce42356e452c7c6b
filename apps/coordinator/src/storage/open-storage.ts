import { join } from 'node:path';
import { type FileSystem, openSnapshots, type SnapshotStore, writeFileWhole } from '@gradwire/checkpoint';
import { type Recipe, recipeHash } from '@gradwire/recipes';
import { createRecorder, type Recorder } from '../recorder.ts';
import { type Claim, claimRun } from './claim.ts';
import { type IncidentLog, openIncidents } from './incident-log.ts';
import { findResumePoint, type ResumePoint, type RunIdentity } from './resume-point.ts';
import type { ClaimContent } from './stored-claim.ts';

/** A run's files, open. */
export interface RunStorage {
  readonly claim: Claim;
  readonly store: SnapshotStore;
  readonly recorder: Recorder;
  readonly incidents: IncidentLog;
  /** Where an earlier run goes on; absent if the run is new. */
  readonly point?: ResumePoint;
  /** Looks for a point at which at most `maxStep` steps were committed. */
  pointBefore(maxStep: number): Promise<ResumePoint>;
  readonly identity: RunIdentity;
}

/** What {@link openStorage} is told. */
export interface StorageOptions {
  /** The run directory. */
  readonly directory: string;
  /** With all overrides. */
  readonly recipe: Recipe;
  /** Sums of the manifests of the data. */
  readonly data: RunIdentity['data'];
  readonly claim: ClaimContent;
  /** Whether the directory is that of an earlier run, which goes on. */
  readonly resume: boolean;
  readonly onProblem: (error: Error) => void;
  /** Default: the real disk. */
  readonly files?: FileSystem;
}

/** Makes the files of a new run, or opens those of an earlier one where it goes on. Throws as {@link findResumePoint} does. */
export async function openStorage(options: StorageOptions): Promise<RunStorage> {
  const { directory, recipe, resume, files } = options;
  if (!resume)
    await writeFileWhole(join(directory, 'recipe.json'), `${JSON.stringify(recipe, null, 2)}\n`, { files });
  // First of all: whoever wrote here before must not add to what is read now.
  const claim = await claimRun(directory, options.claim, files);
  try {
    return await openFiles(options, claim);
  } catch (error) {
    claim.close();
    throw error;
  }
}

async function openFiles(options: StorageOptions, claim: Claim): Promise<RunStorage> {
  const { directory, recipe, data, resume, onProblem, files } = options;
  const store = openSnapshots(directory, files);
  const identity = { recipeHash: await recipeHash(recipe), data };
  const search = { directory, store, identity, onProblem, files };
  const { goBackTo } = claim;
  const point = resume ? await findResumePoint({ ...search, maxStep: goBackTo }) : undefined;
  if (goBackTo !== undefined) {
    await store.prune((step) => step <= goBackTo);
    await store.settle();
    await claim.goBack(undefined);
  }
  const recorder = await createRecorder(
    { directory, recipeHash: identity.recipeHash, onFailure: onProblem, files },
    point?.lines,
  );
  const incidents = await openIncidents(directory, { claim, onProblem, files });
  const pointBefore = (maxStep: number): Promise<ResumePoint> => findResumePoint({ ...search, maxStep });
  return { claim, store, recorder, incidents, identity, pointBefore, ...(point ? { point } : {}) };
}
