import { type LedgerLine, openSnapshots, type StoredSnapshot } from '@gradwire/checkpoint';
import {
  type BlobStore,
  codecsOf,
  createBlobStore,
  createPlan,
  otherData,
  type Splits,
  startOf,
} from '@gradwire/coordinator';
import { type Contribution, plainVectors } from '@gradwire/engine';
import { GradwireError, toError } from '@gradwire/errors';
import type { Bench } from '@gradwire/worker';
import { linesByStep } from './lines-by-step.ts';
import { createLoneWorker, type StepStart } from './lone-worker.ts';
import type { OpenRun } from './open-run.ts';
import { refuseAsynchronous } from './refuse-asynchronous.ts';

/** Which contributions are meant. */
export interface ReplayQuestion {
  /** From 1. */
  readonly step: number;
  /** From 0; default: all of the step. */
  readonly shard?: number | undefined;
}

/** A contribution, and what this machine computes in its place. */
export interface ReplayedContribution extends Contribution {
  /** Checksum. */
  readonly computed: string;
}

/** What was computed again. */
export interface Replay {
  /** Steps of the snapshot from which the weights were brought to the step; 0: the initial weights. */
  readonly from: number;
  /** The step whose contributions are compared: an earlier one than was asked for where the way there ends. */
  readonly step: number;
  /** Whether the ledger's weights after `step` are not those that were computed; only of an earlier step. */
  readonly isDeadEnd: boolean;
  /** Whether the ledger says which weights `step` began with, and they are those that were computed. */
  readonly isKnownStart: boolean;
  readonly contributions: readonly ReplayedContribution[];
  /** What else was seen on the way. */
  readonly notes: readonly string[];
}

/** Everything that a step is computed with. */
export interface ReplayOptions {
  readonly run: OpenRun;
  readonly data: Splits;
  readonly bench: Bench;
  /** Ends the computation before its next step. */
  readonly signal?: AbortSignal;
}

/** The line of a step, and those of its contributions that are meant. Throws OPTION_INVALID if there are none. */
export function findContributions(
  run: OpenRun,
  { step, shard }: ReplayQuestion,
): { readonly line: LedgerLine; readonly contributions: readonly Contribution[] } {
  refuseAsynchronous(run, 'replay');
  const { ledger, recipe } = run;
  const line = ledger.lines.find((each) => each.step === step);
  if (!line) throw refusal(`the ledger has ${ledger.lines.length} steps, but not step ${step}`);
  if (shard === undefined) return { line, contributions: line.contributions };
  const contributions = line.contributions.filter(({ lo, hi }) => lo <= shard && shard < hi);
  if (contributions.length > 0) return { line, contributions };
  const why = shard < recipe.shards ? 'has no samples in it' : `is not one of the ${recipe.shards} shards`;
  throw refusal(`step ${step}: the ledger has no contribution for shard ${shard}, which ${why}`);
}

/**
 * Computes contributions of a step again, with the weights that the step began with, and takes their checksums.
 *
 * @throws GradwireError OPTION_INVALID where that is not possible: see {@link findContributions}; also for steps that
 * workers of another numerics class computed. DATA_MISMATCH if the run was trained on other data. CANCELLED when the signal
 * is aborted.
 */
export async function replayStep(
  { run, data, bench, signal }: ReplayOptions,
  question: ReplayQuestion,
): Promise<Replay> {
  const { recipe, ledger } = run;
  const wanted = findContributions(run, question);
  const lines = linesByStep(ledger.lines);
  const notes = ledger.faults.map((fault) => `ledger.jsonl, ${fault}`);
  const { snapshot, found } = await nearestSnapshot(run, await createBlobStore(data), question.step - 1);
  notes.push(...found);
  const from = snapshot?.record.step ?? 0;
  const before = ledger.lines.filter(({ step }) => from < step && step < question.step);
  checkClasses([...before, { ...wanted.line, contributions: wanted.contributions }], bench);
  notes.push(...missingSteps(lines, from, question.step));
  const worker = createLoneWorker({ plan: createPlan(recipe, data), codecs: codecsOf(recipe), bench });

  const isKnown = (version: number): boolean => version === from || lines.has(version);
  const throwIfStopped = (steps: number): void => {
    if (signal?.aborted) throw new GradwireError('CANCELLED', `stopped after step ${steps}`);
  };
  const again = async (
    start: StepStart,
    contributions: readonly Contribution[],
  ): Promise<ReplayedContribution[]> => {
    const replayed: ReplayedContribution[] = [];
    for (const each of contributions) {
      replayed.push({ ...each, computed: await worker.checksum(start, each) });
      throwIfStopped(start.round.version);
    }
    return replayed;
  };
  let previous: StepStart | undefined;
  for await (const start of worker.steps(snapshot && startOf(snapshot).state)) {
    const { version } = start.round;
    throwIfStopped(version);
    const last = lines.get(version);
    if (previous && last && plainVectors.checksum(start.weights) !== last.weights) {
      const contributions = await again(previous, last.contributions);
      const isKnownStart = isKnown(version - 1);
      return { from, step: version, isDeadEnd: true, isKnownStart, contributions, notes };
    }
    if (version === question.step - 1) {
      const contributions = await again(start, wanted.contributions);
      const isKnownStart = isKnown(version);
      return { from, step: question.step, isDeadEnd: false, isKnownStart, contributions, notes };
    }
    previous = start;
  }
  throw refusal(`the recipe has no step ${question.step}`);
}

/** Says which steps of the way the ledger does not have. */
function missingSteps(lines: ReadonlyMap<number, LedgerLine>, from: number, to: number): string[] {
  const most = 3;
  const missing: number[] = [];
  for (let step = from + 1; step < to && missing.length <= most; step += 1)
    if (!lines.has(step)) missing.push(step);
  if (missing.length === 0) return [];
  const few = `${missing.slice(0, most).join(', ')}${missing.length > most ? ', …' : ''}`;
  return [`the ledger has no step ${few}: the weights after it were computed, but not compared`];
}

/** The newest snapshot with at most so many steps whose weights are those of the ledger, and why not a newer one. */
async function nearestSnapshot(
  { directory, ledger, recipeHash }: OpenRun,
  { manifests }: BlobStore,
  most: number,
): Promise<{ readonly snapshot?: StoredSnapshot; readonly found: readonly string[] }> {
  const lines = linesByStep(ledger.lines);
  const store = openSnapshots(directory.path);
  const found: string[] = [];
  for (const step of (await store.steps()).filter((each) => each > 0 && each <= most)) {
    try {
      const snapshot = await store.read(step);
      const { record, weights } = snapshot;
      const expected = lines.get(step)?.weights;
      if (record.data.train !== manifests.train) throw otherData(store.pathOf(step));
      if (record.recipeHash === recipeHash && plainVectors.checksum(weights) === expected)
        return { snapshot, found };
      const why = expected === undefined ? `cannot be compared` : 'does not belong to this ledger';
      found.push(`the snapshot of step ${step} ${why}: not used`);
    } catch (thrown) {
      const error = toError(thrown);
      if (!(error instanceof GradwireError) || error.code !== 'FILE_CORRUPT') throw error;
      found.push(`the snapshot of step ${step} cannot be used: ${error.message}`);
    }
  }
  return { found };
}

/** Other bits would prove nothing. */
function checkClasses(lines: readonly LedgerLine[], { numericsClass }: Bench): void {
  for (const { step, contributions } of lines) {
    const other = contributions.find((each) => each.numericsClass !== numericsClass);
    if (!other) continue;
    const { worker, numericsClass: theirs } = other;
    const [backend] = theirs.split('-');
    throw new GradwireError(
      'OPTION_INVALID',
      `${worker} computed in step ${step} as ${theirs}, this machine computes as ${numericsClass}: other bits prove nothing`,
      { hint: `Use the Gradwire version of the run, with --backend ${backend}.` },
    );
  }
}

function refusal(message: string): GradwireError {
  return new GradwireError('OPTION_INVALID', `cannot replay: ${message}`);
}
