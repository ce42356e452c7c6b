import { join } from 'node:path';
import { chainEntry, createJsonLines, type JsonLines } from '@gradwire/checkpoint';
import type { Contribution, EvaluationRecord, StepRecord } from '@gradwire/engine';
import type { GradwireError } from '@gradwire/errors';

/** What one worker has contributed as one numerics class. */
export interface Tally {
  readonly worker: string;
  readonly numericsClass: string;
  leases: number;
}

/** Keeps a run's metrics and ledger, in memory what the summary needs and on disk every line. */
export interface Recorder {
  readonly steps: number;
  /** Whole epochs. */
  readonly epochs: number;
  readonly samplesSeen: number;
  readonly lastTest: EvaluationRecord | undefined;
  /** In order of first contribution. */
  readonly tallies: readonly Tally[];
  /** Mean training loss and accuracy of each step, for curves. */
  readonly curve: { readonly loss: readonly number[]; readonly accuracy: readonly number[] };
  readonly evaluations: readonly EvaluationRecord[];
  /** Chain value of the ledger's last line. */
  readonly chain: string;
  /** @param weights Checksum of the weights after the step. */
  step(record: StepRecord, weights: string): void;
  epoch(means: { epoch: number; loss: number; accuracy: number }): void;
  evaluation(record: EvaluationRecord): void;
  /** Writes out what is still in memory. Rejects with FILE_WRITE_FAILED. */
  close(): Promise<void>;
}

/** Where a recorder writes. */
export interface RecorderOptions {
  /** The run directory's path. */
  readonly directory: string;
  /** Of the recipe with all overrides: the ledger's chain begins with it. */
  readonly recipeHash: string;
  /** Told at once when a file cannot be written. */
  readonly onFailure: (error: GradwireError) => void;
}

/** Opens `metrics.jsonl` and `ledger.jsonl` in a run directory. */
export async function createRecorder({
  directory,
  recipeHash,
  onFailure,
}: RecorderOptions): Promise<Recorder> {
  const metrics = await createJsonLines(join(directory, 'metrics.jsonl'), onFailure);
  const ledger = await createJsonLines(join(directory, 'ledger.jsonl'), onFailure);
  const tallies: Tally[] = [];
  const curve = { loss: [] as number[], accuracy: [] as number[] };
  const evaluations: EvaluationRecord[] = [];
  let chain = recipeHash;
  let steps = 0;
  let epochs = 0;
  let samplesSeen = 0;
  return {
    tallies,
    curve,
    evaluations,
    get chain() {
      return chain;
    },
    get steps() {
      return steps;
    },
    get epochs() {
      return epochs;
    },
    get samplesSeen() {
      return samplesSeen;
    },
    get lastTest() {
      return evaluations.findLast(({ split }) => split === 'test');
    },
    step({ contributions, batch, ...record }, weights) {
      steps = record.step;
      samplesSeen += record.samples;
      curve.loss.push(record.loss);
      curve.accuracy.push(record.accuracy);
      for (const contribution of contributions) count(tallies, contribution);
      metrics.append({ type: 'step', ...record });
      const place = batch === undefined ? {} : { batch };
      const line = chainEntry(chain, { step: record.step, ...place, contributions, weights });
      ({ chain } = line);
      ledger.append(line);
    },
    epoch(means) {
      epochs = means.epoch;
      metrics.append({ type: 'epoch', ...means });
    },
    evaluation(record) {
      evaluations.push(record);
      metrics.append({ type: 'evaluation', ...record });
    },
    close: () => closeAll([metrics, ledger]),
  };
}

function count(tallies: Tally[], { worker, numericsClass, lo, hi }: Contribution): void {
  const tally = tallies.find((each) => each.worker === worker && each.numericsClass === numericsClass);
  if (tally) tally.leases += hi - lo;
  else tallies.push({ worker, numericsClass, leases: hi - lo });
}

async function closeAll(files: readonly JsonLines[]): Promise<void> {
  const results = await Promise.allSettled(files.map((file) => file.close()));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
