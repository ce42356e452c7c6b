import type { LedgerLine } from '@gradwire/checkpoint';
import { createShardOrder, microBatchSize, type ShardOrder } from '@gradwire/data';
import { isTreeNode } from '@gradwire/engine';
import { countSteps, type Recipe } from '@gradwire/recipes';

/** What a ledger is compared with. */
export interface AuditFacts {
  readonly recipe: Recipe;
  /** Samples that are trained on, without those held out. */
  readonly trainingCount: number;
}

/** What a ledger proves, and what speaks against it. */
export interface LedgerAudit {
  readonly contributions: number;
  /** Uses of samples. */
  readonly samples: number;
  /** Epochs in which each sample was used exactly once. */
  readonly wholeEpochs: number;
  readonly problems: readonly string[];
}

/** Where a line of the ledger stands in the run. */
interface Place {
  readonly epoch: number;
  readonly batch: number;
}

/**
 * Proves from the lines of a ledger, a recipe and the number of training samples which samples each step used: each
 * shard of each step once, each sample of each epoch once.
 */
export function auditLedger(
  lines: readonly LedgerLine[],
  { recipe, trainingCount: count }: AuditFacts,
): LedgerAudit {
  const { shards, seed } = recipe;
  const { batchSize, stepsPerEpoch, totalSteps } = countSteps(recipe, count);
  const order = createShardOrder({ count, shards, seed });
  const problems: string[] = [];
  let samples = 0;
  let wholeEpochs = 0;
  let uses = new Uint8Array(count);

  for (const [i, line] of lines.entries()) {
    if (line.step !== i + 1) {
      problems.push(`line ${i + 1}: expected step ${i + 1}, found step ${line.step}`);
      // What belongs to which epoch is not known any more.
      return { contributions: countContributions(lines), samples, wholeEpochs, problems };
    }
    const place = { epoch: Math.floor(i / stepsPerEpoch), batch: line.batch ?? i % stepsPerEpoch };
    const sizes = place.batch < stepsPerEpoch ? sizesOf(place.batch) : [];
    problems.push(...auditStep(line, sizes));
    for (const { lo, hi } of line.contributions) samples += use(uses, leaves(lo, hi), place);
    const isEpochEnd = line.step % stepsPerEpoch === 0;
    if (!isEpochEnd && i + 1 < lines.length) continue;
    const found = auditUses(uses, { epoch: place.epoch, isWhole: isEpochEnd });
    problems.push(...found);
    if (isEpochEnd && found.length === 0) wholeEpochs += 1;
    uses = new Uint8Array(count);
  }
  if (lines.length > totalSteps)
    problems.push(`expected at most the recipe's ${totalSteps} steps, found ${lines.length}`);
  return { contributions: countContributions(lines), samples, wholeEpochs, problems };

  function sizesOf(step: number): number[] {
    return Array.from({ length: shards }, (_, shard) =>
      microBatchSize({ count, shards, batchSize, step, shard }),
    );
  }

  function leaves(lo: number, hi: number): number[] {
    return Array.from({ length: Math.max(0, Math.min(hi, shards) - lo) }, (_, i) => lo + i);
  }

  function use(into: Uint8Array, used: readonly number[], { epoch, batch }: Place): number {
    if (batch >= stepsPerEpoch) return 0;
    return used.reduce((sum, shard) => sum + mark(into, order, { epoch, step: batch, batchSize, shard }), 0);
  }
}

/** One step: nodes of the tree, no shard twice, none missing, and as many samples as these shards have. */
function auditStep({ step, batch, contributions }: LedgerLine, sizes: readonly number[]): string[] {
  if (sizes.length === 0) return [`step ${step}: there is no batch ${batch} in an epoch`];
  const problems: string[] = [];
  const owners: (string | undefined)[] = sizes.map(() => undefined);
  for (const { worker, lo, hi, samples } of contributions) {
    const where = `step ${step}, shards ${lo} to ${hi - 1} from ${worker}`;
    if (!isTreeNode(lo, hi, sizes.length)) {
      problems.push(`${where}: no node of the tree over ${sizes.length} shards`);
      continue;
    }
    const expected = sizes.slice(lo, hi).reduce((sum, size) => sum + size, 0);
    if (samples !== expected) problems.push(`${where}: expected ${expected} samples, found ${samples}`);
    for (let shard = lo; shard < hi; shard += 1) {
      const first = owners[shard];
      if (first !== undefined)
        problems.push(`step ${step}: shard ${shard} was used twice, from ${first} and from ${worker}`);
      owners[shard] = worker;
    }
  }
  const missing = owners.flatMap((owner, shard) => (owner === undefined && sizes[shard] ? [shard] : []));
  if (missing.length > 0) problems.push(`step ${step}: nobody's shard ${missing.join(', ')} was used`);
  return problems;
}

type Batch = Parameters<ShardOrder['microBatch']>[0];

/** Counts each sample of a micro-batch; returns how many there are. */
function mark(uses: Uint8Array, order: ShardOrder, batch: Batch): number {
  const positions = order.microBatch(batch);
  for (const position of positions) uses[position] = (uses[position] ?? 0) + 1;
  return positions.length;
}

function auditUses(
  uses: Uint8Array,
  { epoch, isWhole }: { readonly epoch: number; readonly isWhole: boolean },
): string[] {
  const twice = positionsOf(uses, (count) => count > 1);
  const never = isWhole ? positionsOf(uses, (count) => count === 0) : [];
  const problems: string[] = [];
  if (twice.length > 0) problems.push(`epoch ${epoch + 1}: used more than once: ${few(twice)}`);
  if (never.length > 0) problems.push(`epoch ${epoch + 1}: never used: ${few(never)}`);
  return problems;
}

function positionsOf(uses: Uint8Array, matches: (count: number) => boolean): number[] {
  return Array.from(uses.keys()).filter((position) => matches(uses[position] ?? 0));
}

function few(positions: readonly number[]): string {
  const noun = positions.length === 1 ? 'training sample' : 'training samples';
  const more = positions.length > 3 ? ' …' : '';
  return `${positions.length} ${noun} (${positions.slice(0, 3).join(', ')}${more})`;
}

function countContributions(lines: readonly LedgerLine[]): number {
  return lines.reduce((sum, { contributions }) => sum + contributions.length, 0);
}
