import { join } from 'node:path';
import {
  chainEntry,
  createJsonLines,
  type FilePrefix,
  type FileSystem,
  type JsonLines,
  type LedgerLine,
  type LinesRead,
  readJsonLines,
  resumeJsonLines,
} from '@gradwire/checkpoint';
import type { Contribution, EvaluationRecord, StepContributions, StepRecord } from '@gradwire/engine';
import type { GradwireError } from '@gradwire/errors';

/** What one worker has contributed as one numerics class. */
export interface Tally {
  readonly worker: string;
  readonly numericsClass: string;
  leases: number;
}

/** What a run's metrics and ledger say, as far as the summary needs it. */
export interface RunRecord {
  readonly steps: number;
  /** Whole epochs. */
  readonly epochs: number;
  readonly samplesSeen: number;
  /** In order of first contribution. */
  readonly tallies: readonly Tally[];
  /** Mean training loss and accuracy of each step, for curves. */
  readonly curve: { readonly loss: readonly number[]; readonly accuracy: readonly number[] };
  readonly evaluations: readonly EvaluationRecord[];
}

/** Keeps a run's metrics and ledger, in memory what the summary needs and on disk every line. */
export interface Recorder extends RunRecord {
  readonly lastTest: EvaluationRecord | undefined;
  /** Chain value of the ledger's last line; the recipe's hash if there is none. */
  readonly chain: string;
  /** @param weights Checksum of the weights after the step. */
  step(record: StepRecord, weights: string): void;
  epoch(means: { epoch: number; loss: number; accuracy: number }): void;
  evaluation(record: EvaluationRecord, contributions: readonly Contribution[]): void;
  /** How long each file is by now, by name. */
  position(): Record<RunFile, FilePrefix>;
  /** Resolves when every line so far is on disk. Rejects with FILE_WRITE_FAILED. */
  flush(): Promise<void>;
  /** Goes back to an earlier part of both files; nothing may be recorded meanwhile. Rejects with FILE_WRITE_FAILED. */
  goBack(lines: RunLines): Promise<void>;
  /** Writes out what is still in memory. Rejects with FILE_WRITE_FAILED. */
  close(): Promise<void>;
}

const runFiles = ['metrics.jsonl', 'ledger.jsonl'] as const;
type RunFile = (typeof runFiles)[number];

/** The part of a run's files that a snapshot vouches for. */
export type RunLines = Readonly<Record<RunFile, LinesRead>>;

/** Reads what a snapshot vouches for; without one, nothing, but damage is found. Throws FILE_CORRUPT. */
export async function readRunLines(
  directory: string,
  prefixes?: Readonly<Record<string, FilePrefix>>,
  files?: FileSystem,
): Promise<RunLines> {
  const read = (name: RunFile): Promise<LinesRead> =>
    readJsonLines(join(directory, name), prefixes?.[name], files);
  return { 'metrics.jsonl': await read('metrics.jsonl'), 'ledger.jsonl': await read('ledger.jsonl') };
}

/** Whose sums all steps and evaluations of these files used, in order. */
export function contributionsIn(lines: RunLines): StepContributions[] {
  const ofSteps = lines['ledger.jsonl'].values as readonly LedgerLine[];
  const ofEvaluations = (lines['metrics.jsonl'].values as readonly MetricsLine[]).flatMap((line) =>
    line.type === 'evaluation' && line.contributions
      ? [{ step: line.step, contributions: line.contributions }]
      : [],
  );
  // Stable: an evaluation comes after its step.
  return [...ofSteps, ...ofEvaluations].sort((a, b) => a.step - b.step);
}

/** Where a recorder writes. */
export interface RecorderOptions {
  /** The run directory's path. */
  readonly directory: string;
  /** Of the recipe with all overrides: the ledger's chain begins with it. */
  readonly recipeHash: string;
  /** Told at once when a file cannot be written. */
  readonly onFailure: (error: GradwireError) => void;
  /** Default: the real disk. */
  readonly files?: FileSystem | undefined;
}

/** Opens `metrics.jsonl` and `ledger.jsonl` in a run directory, new or as far as `lines` go. */
export async function createRecorder(
  { directory, recipeHash, onFailure, files }: RecorderOptions,
  lines?: RunLines,
): Promise<Recorder> {
  const open = async (name: RunFile, from: RunLines | undefined): Promise<JsonLines> => {
    const path = join(directory, name);
    const how = { onFailure, ...(files ? { files } : {}) };
    return from ? resumeJsonLines(path, from[name].content, how) : createJsonLines(path, how);
  };
  let metrics = await open('metrics.jsonl', lines);
  let ledger = await open('ledger.jsonl', lines);
  let memory = remember(recipeHash, lines);
  return {
    get chain() {
      return memory.chain;
    },
    get steps() {
      return memory.steps;
    },
    get epochs() {
      return memory.epochs;
    },
    get samplesSeen() {
      return memory.samplesSeen;
    },
    get tallies() {
      return memory.tallies;
    },
    get curve() {
      return memory.curve;
    },
    get evaluations() {
      return memory.evaluations;
    },
    get lastTest() {
      return memory.evaluations.findLast(({ split }) => split === 'test');
    },
    step({ contributions, batch, ...record }, weights) {
      write(metrics, memory, { type: 'step', ...record });
      const place = batch === undefined ? {} : { batch };
      const line = chainEntry(memory.chain, { step: record.step, ...place, contributions, weights });
      count(memory, line);
      ledger.append(line);
    },
    epoch: (means) => write(metrics, memory, { type: 'epoch', ...means }),
    evaluation: (record, contributions) =>
      write(metrics, memory, { type: 'evaluation', ...record, contributions }),
    position: () => ({ 'metrics.jsonl': metrics.position(), 'ledger.jsonl': ledger.position() }),
    flush: () => all([metrics, ledger], (file) => file.flush()),
    async goBack(from) {
      await all([metrics, ledger], (file) => file.close());
      metrics = await open('metrics.jsonl', from);
      ledger = await open('ledger.jsonl', from);
      memory = remember(recipeHash, from);
    },
    close: () => all([metrics, ledger], (file) => file.close()),
  };
}

type MetricsLine =
  | ({ readonly type: 'step' } & Omit<StepRecord, 'contributions' | 'batch'>)
  | { readonly type: 'epoch'; readonly epoch: number }
  | ({
      readonly type: 'evaluation';
      /** Runs that began before these were written down have none. */
      readonly contributions?: readonly Contribution[];
    } & EvaluationRecord);

interface Memory extends RunRecord {
  chain: string;
  steps: number;
  epochs: number;
  samplesSeen: number;
  readonly tallies: Tally[];
  readonly curve: { readonly loss: number[]; readonly accuracy: number[] };
  readonly evaluations: EvaluationRecord[];
}

function remember(chain: string, lines?: RunLines): Memory {
  const curve = { loss: [], accuracy: [] };
  const memory: Memory = { chain, steps: 0, epochs: 0, samplesSeen: 0, tallies: [], curve, evaluations: [] };
  for (const line of lines?.['metrics.jsonl'].values ?? []) note(memory, line as MetricsLine);
  for (const line of lines?.['ledger.jsonl'].values ?? []) count(memory, line as LedgerLine);
  return memory;
}

function write(metrics: JsonLines, memory: Memory, line: MetricsLine): void {
  note(memory, line);
  metrics.append(line);
}

/** The one place where lines become figures: a run that goes on has those of one that never stopped. */
function note(memory: Memory, line: MetricsLine): void {
  if (line.type === 'epoch') memory.epochs = line.epoch;
  if (line.type === 'evaluation') {
    const { type: _type, contributions: _contributions, ...record } = line;
    memory.evaluations.push(record);
  }
  if (line.type !== 'step') return;
  memory.steps = line.step;
  memory.samplesSeen += line.samples;
  memory.curve.loss.push(line.loss);
  memory.curve.accuracy.push(line.accuracy);
}

function count(memory: Memory, { contributions, chain }: LedgerLine): void {
  const { tallies } = memory;
  memory.chain = chain;
  for (const { worker, numericsClass, lo, hi } of contributions) {
    const tally = tallies.find((each) => each.worker === worker && each.numericsClass === numericsClass);
    if (tally) tally.leases += hi - lo;
    else tallies.push({ worker, numericsClass, leases: hi - lo });
  }
}

async function all(files: readonly JsonLines[], act: (file: JsonLines) => Promise<void>): Promise<void> {
  const results = await Promise.allSettled(files.map(act));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
