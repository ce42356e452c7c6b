import type {
  FileSystem,
  KeptSnapshot,
  SnapshotRecord,
  SnapshotStore,
  StoredSnapshot,
} from '@gradwire/checkpoint';
import type { RunState, StepContributions } from '@gradwire/engine';
import { GradwireError, toError } from '@gradwire/errors';
import { contributionsIn, readRunLines, type RunLines } from '../recorder.ts';

/** What a snapshot must have in common with the run that goes on from it. */
export type RunIdentity = Pick<SnapshotRecord, 'recipeHash' | 'data'>;

/** Where a run goes on. */
export interface ResumePoint {
  /** Absent: at the beginning. */
  readonly snapshot?: StoredSnapshot;
  readonly lines: RunLines;
  /** The good snapshots up to this point, oldest first. */
  readonly kept: readonly KeptSnapshot[];
}

/** Where to look, and for what. */
export interface ResumeSearch {
  /** The run directory. */
  readonly directory: string;
  readonly store: SnapshotStore;
  /** Default: the real disk. */
  readonly files?: FileSystem | undefined;
  readonly identity: RunIdentity;
  /** The latest step that will do; default: any. */
  readonly maxStep?: number | undefined;
  /** Told of each snapshot that cannot be used. */
  readonly onProblem: (error: Error) => void;
}

/**
 * Finds the newest snapshot that is whole and whose lines are in metrics and ledger. Damaged ones are named and set
 * aside. A run without snapshots goes on at its beginning; one with damaged ones only does not.
 *
 * Throws RECIPE_MISMATCH or DATA_MISMATCH for a snapshot of another run, FILE_CORRUPT if nothing can be used.
 */
export async function findResumePoint(search: ResumeSearch): Promise<ResumePoint> {
  const { directory, store, files, maxStep = Number.POSITIVE_INFINITY, onProblem } = search;
  const steps = (await store.steps()).filter((step) => step <= maxStep);
  let found: Omit<ResumePoint, 'kept'> | undefined;
  const kept: KeptSnapshot[] = [];
  const problems: GradwireError[] = [];
  for (const step of steps) {
    try {
      const snapshot = await readOrSetAside(search, step);
      found ??= { snapshot, lines: await readRunLines(directory, snapshot.record.files, files) };
      kept.unshift(snapshot.record);
    } catch (thrown) {
      const error = toError(thrown);
      if (!(error instanceof GradwireError) || error.code !== 'FILE_CORRUPT') throw error;
      problems.push(error);
      onProblem(error);
    }
  }
  if (found) {
    await store.settle();
    return { ...found, kept };
  }
  const [first] = problems;
  if (first !== undefined && maxStep === Number.POSITIVE_INFINITY) throw noneUsable(directory, problems);
  return { lines: await readRunLines(directory, undefined, files), kept };
}

async function readOrSetAside({ store, identity }: ResumeSearch, step: number): Promise<StoredSnapshot> {
  try {
    const snapshot = await store.read(step);
    checkIdentity(snapshot.record, identity, store.pathOf(step));
    return snapshot;
  } catch (thrown) {
    if (!(thrown instanceof GradwireError) || thrown.code !== 'FILE_CORRUPT') throw thrown;
    const aside = await store.setAside(step);
    throw new GradwireError('FILE_CORRUPT', `${thrown.message}; it is now ${aside}`, { cause: thrown });
  }
}

function checkIdentity({ recipeHash, data }: SnapshotRecord, expected: RunIdentity, path: string): void {
  if (recipeHash !== expected.recipeHash) {
    throw new GradwireError(
      'RECIPE_MISMATCH',
      `${path} was made with recipe ${recipeHash.slice(0, 12)}, the run has ${expected.recipeHash.slice(0, 12)}`,
      { hint: 'Put back the recipe.json with which the run was started.' },
    );
  }
  if (data.train !== expected.data.train || data.test !== expected.data.test) {
    throw otherData(path);
  }
}

/** The error for a run or a snapshot at `path` that does not belong to the data. */
export function otherData(path: string): GradwireError {
  return new GradwireError('DATA_MISMATCH', `${path} was made with other data than what is loaded now`, {
    hint: 'Give the --data-dir with which the run was started.',
  });
}

function noneUsable(directory: string, problems: readonly GradwireError[]): GradwireError {
  return new GradwireError(
    'FILE_CORRUPT',
    `${directory} has no snapshot that can be used: ${problems.map(({ message }) => message).join('; ')}`,
    { hint: 'Put back good copies of these files, or move the folder snapshots away to begin at step 1.' },
  );
}

/** Where the engine goes on, and how long the run has trained. */
export function startOf({ record, weights, optimizer }: StoredSnapshot): {
  readonly state: RunState;
  readonly seconds: number;
} {
  const { lastRound, epochTotals, seconds } = record;
  return { state: { ...(lastRound ? { lastRound } : {}), weights, optimizer, epochTotals }, seconds };
}

/** Whose sums all steps and evaluations until a point used. */
export function contributedUntil(point: ResumePoint | undefined): readonly StepContributions[] {
  return point ? contributionsIn(point.lines) : [];
}
