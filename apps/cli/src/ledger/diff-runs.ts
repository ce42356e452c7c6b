import { join } from 'node:path';
import { type LedgerLine, openSnapshots, readModel } from '@gradwire/checkpoint';
import type { Parameter } from '@gradwire/engine';
import { parameterLayout } from '@gradwire/models';
import { canonicalJson, type Recipe } from '@gradwire/recipes';
import { relativePath } from '../output/relative-path.ts';
import { compareRecipes } from '../settings/compare-recipes.ts';
import { lastStep, linesByStep } from './lines-by-step.ts';
import type { OpenRun } from './open-run.ts';
import { refuseAsynchronous } from './refuse-asynchronous.ts';

/** The first place at which two ledgers say different things. */
export interface StepDifference {
  readonly step: number;
  /** The shards whose sum differs; absent if no sum over the same shards does. */
  readonly shards?: { readonly lo: number; readonly hi: number };
  /** Who computed that sum, in the one run and in the other: worker and numerics class. */
  readonly by?: readonly [string, string];
  /** Whether both runs used sums over the same shards, so that equal sums prove equal gradients. */
  readonly isComparable: boolean;
  /** Whether an earlier step is missing in one of the ledgers, so that the difference may have begun there. */
  readonly isAfterGap: boolean;
}

/** The first tensor that differs where both runs have kept their weights. */
export interface TensorDifference {
  /** Steps made before: at or after the first difference. */
  readonly step: number;
  readonly tensor: string;
  /** Elements of it whose bits differ. */
  readonly elements: number;
  readonly size: number;
  /** Tensors that differ, this one included. */
  readonly tensors: number;
}

/** What sets two runs apart. */
export interface RunDifference {
  /** Settings of the recipes: `seed: 3 and 4`. */
  readonly recipe: readonly string[];
  /** Steps that each ledger goes up to. */
  readonly steps: readonly [number, number];
  /** Steps that both ledgers have. */
  readonly common: number;
  /** What is wrong with the text of the ledgers. */
  readonly faults: readonly string[];
  readonly first?: StepDifference;
  readonly tensor?: TensorDifference;
}

/**
 * Compares two runs: their recipes, their ledgers step by step, and the weights that both have kept. Throws
 * OPTION_INVALID if one was trained asynchronously.
 */
export async function diffRuns(a: OpenRun, b: OpenRun): Promise<RunDifference> {
  for (const run of [a, b]) refuseAsynchronous(run, 'compare');
  const [ours, theirs] = [a.ledger.lines, b.ledger.lines];
  const pairs = pairLines(ours, theirs);
  const first = firstDifference(pairs);
  const tensor = first && (await firstTensor(a, b, first.step));
  return {
    recipe: recipeDifferences(a.recipe, b.recipe),
    steps: [lastStep(ours), lastStep(theirs)],
    common: pairs.length,
    faults: [...faultsOf(a), ...faultsOf(b)],
    ...(first ? { first } : {}),
    ...(tensor ? { tensor } : {}),
  };
}

/** With the path: runs in different folders may have one name. */
function faultsOf({ directory, ledger }: OpenRun): string[] {
  const path = relativePath(join(directory.path, 'ledger.jsonl'));
  return ledger.faults.map((fault) => `${path}, ${fault}`);
}

/** A recipe's name decides nothing. */
function recipeDifferences(a: Recipe, b: Recipe): string[] {
  return compareRecipes(a, b)
    .filter(({ setting }) => setting !== 'name')
    .map(({ setting, first, second }) => `${setting}: ${show(first)} and ${show(second)}`);
}

function show(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}

type Pair = readonly [LedgerLine, LedgerLine];

/** The lines of the steps that both ledgers have, in the order of the steps. */
function pairLines(ours: readonly LedgerLine[], theirs: readonly LedgerLine[]): Pair[] {
  const others = linesByStep(theirs);
  return [...linesByStep(ours).values()]
    .sort((x, y) => x.step - y.step)
    .flatMap((line) => {
      const other = others.get(line.step);
      return other ? [[line, other] as const] : [];
    });
}

function firstDifference(pairs: readonly Pair[]): StepDifference | undefined {
  for (const [i, [line, other]] of pairs.entries()) {
    const found = compareLines(line, other);
    if (found) return { ...found, isAfterGap: line.step !== i + 1 };
  }
  return undefined;
}

function compareLines(line: LedgerLine, other: LedgerLine): Omit<StepDifference, 'isAfterGap'> | undefined {
  const { step } = line;
  let same = 0;
  for (const mine of line.contributions) {
    const theirs = other.contributions.find(({ lo, hi }) => lo === mine.lo && hi === mine.hi);
    if (!theirs) continue;
    same += 1;
    if (mine.sum === theirs.sum) continue;
    const { lo, hi } = mine;
    return { step, shards: { lo, hi }, by: [nameOf(mine), nameOf(theirs)], isComparable: true };
  }
  if (line.weights === other.weights) return undefined;
  return { step, isComparable: same === line.contributions.length && same === other.contributions.length };
}

function nameOf({ worker, numericsClass }: LedgerLine['contributions'][number]): string {
  return `${worker} (${numericsClass})`;
}

/** Looks at the earliest weights that both have kept, from a step on. */
async function firstTensor(a: OpenRun, b: OpenRun, from: number): Promise<TensorDifference | undefined> {
  const layout = parameterLayout(a.recipe.model);
  if (canonicalJson(layout) !== canonicalJson(parameterLayout(b.recipe.model))) return undefined;
  const [ours, theirs] = [await keptWeights(a), await keptWeights(b)];
  const steps = [...ours.keys()].filter((step) => step >= from && theirs.has(step)).sort((x, y) => x - y);
  for (const step of steps) {
    const pair = [await ours.get(step)?.(), await theirs.get(step)?.()] as const;
    if (!pair[0] || !pair[1]) continue;
    const [x, y] = [wordsOf(pair[0]), wordsOf(pair[1])];
    const counts = layout.parameters.map((parameter) => countDifferent(x, y, parameter));
    const index = counts.findIndex((count) => count > 0);
    const found = layout.parameters[index];
    if (!found) continue;
    const tensors = counts.filter((count) => count > 0).length;
    return { step, tensor: found.name, elements: counts[index] ?? 0, size: found.size, tensors };
  }
  return undefined;
}

type ReadWeights = () => Promise<Float32Array | undefined>;

/** Where a run has kept its weights, by step; what is damaged is left out when it is read. */
async function keptWeights({ directory, ledger }: OpenRun): Promise<Map<number, ReadWeights>> {
  const store = openSnapshots(directory.path);
  const kept = new Map<number, ReadWeights>();
  kept.set(lastStep(ledger.lines), () =>
    readModel(directory.path).then(
      ({ weights }) => weights,
      () => undefined,
    ),
  );
  for (const step of await store.steps())
    kept.set(step, () =>
      store.read(step).then(
        ({ weights }) => weights,
        () => undefined,
      ),
    );
  return kept;
}

function wordsOf({ buffer, byteOffset, length }: Float32Array): Uint32Array {
  return new Uint32Array(buffer, byteOffset, length);
}

function countDifferent(x: Uint32Array, y: Uint32Array, { offset, size }: Parameter): number {
  let count = 0;
  for (let i = offset; i < offset + size; i += 1) if (x[i] !== y[i]) count += 1;
  return count;
}
