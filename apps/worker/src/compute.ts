import type { LeaseMessage, PartialMessage } from '@gradwire/protocol';
import { createShardOrder, evaluationBlocks, shardRange, trainingIndices } from '@gradwire/data';
import { addSums, createTreeSum, type Sums, type TreeNode, treeCover } from '@gradwire/engine';
import { countSteps, type Recipe } from '@gradwire/recipes';
import { type Batcher, createShardStep, type Trainer } from '@gradwire/training';
import type { SampleStore } from './sample-store.ts';

/** What is needed to compute a lease. */
export interface ComputeOptions {
  readonly recipe: Recipe;
  readonly trainer: Trainer;
  readonly batcher: Batcher;
  readonly stores: { readonly train: SampleStore; readonly test: SampleStore };
}

/** Turns leases into partials. */
export interface Computer {
  /** Samples of whole training shards, for fetching ahead. */
  shardSamples(shards: readonly number[]): Uint32Array;
  /** Computes a lease leaf by leaf and yields each node of the canonical tree as soon as it is complete. */
  compute(lease: LeaseMessage, onLeaf: (leaf: number) => unknown): AsyncGenerator<PartialMessage>;
}

/** Prepares everything that is the same for all leases of a run. */
export function createComputer({ recipe, trainer, batcher, stores }: ComputeOptions): Computer {
  const { seed, shards, validationShare = 0 } = recipe;
  const { training, validation } = trainingIndices(stores.train.manifest.count, { validationShare, seed });
  const order = createShardOrder({ count: training.length, shards, seed });
  const { batchSize } = countSteps(recipe, training.length);
  const shardStep = createShardStep({ recipe, trainer, batcher, trainingCount: training.length });
  const everyTest = Uint32Array.from({ length: stores.test.manifest.count }, (_, sample) => sample);

  const samplesOf = (lease: LeaseMessage, leaf: number): Uint32Array => {
    if (lease.task === 'step') {
      const { epoch, step } = lease;
      return order
        .microBatch({ epoch, step, batchSize, shard: leaf })
        .map((position) => training[position] ?? 0);
    }
    const samples = lease.split === 'validation' ? validation : everyTest;
    const sizes = evaluationBlocks(samples.length);
    const start = sizes.slice(0, leaf).reduce((sum, size) => sum + size, 0);
    return samples.subarray(start, start + (sizes[leaf] ?? 0));
  };

  const computeLeaf = async (lease: LeaseMessage, leaf: number): Promise<TimedSums> => {
    const samples = samplesOf(lease, leaf);
    const store = lease.task === 'evaluate' && lease.split === 'test' ? stores.test : stores.train;
    await store.ensure(samples);
    const startMs = performance.now();
    const { gradient, metrics } =
      lease.task === 'step'
        ? shardStep({ epoch: lease.epoch, step: lease.step, shard: leaf }, store.samples, samples)
        : { gradient: new Float32Array(0), metrics: trainer.evaluate(batcher(store.samples, samples)) };
    return { samples: samples.length, gradient, metrics, computeMs: performance.now() - startMs };
  };

  return {
    shardSamples: (wanted) => {
      const ranges = wanted.map((shard) => shardRange(training.length, shards, shard));
      const samples = new Uint32Array(ranges.reduce((sum, { start, end }) => sum + end - start, 0));
      let filled = 0;
      for (const { start, end } of ranges) {
        samples.set(training.subarray(start, end), filled);
        filled += end - start;
      }
      return samples;
    },
    async *compute(lease, onLeaf) {
      const isComplete = coverOf(lease);
      const tree = createTreeSum(lease.leafCount, addTimedSums);
      for (const leaf of lease.leaves) {
        onLeaf(leaf);
        const { lo, hi, value } = tree.add({ lo: leaf, hi: leaf + 1 }, await computeLeaf(lease, leaf));
        if (isComplete({ lo, hi })) yield { type: 'partial', round: lease.round, lo, hi, ...value };
        await turn();
      }
    },
  };
}

interface TimedSums extends Sums {
  readonly computeMs: number;
}

function addTimedSums(left: TimedSums, right: TimedSums): TimedSums {
  return { ...addSums(left, right), computeMs: left.computeMs + right.computeMs };
}

/** Tells the nodes that are sent: the fewest that hold the lease's leaves. */
function coverOf({ leaves, leafCount }: LeaseMessage): (node: TreeNode) => boolean {
  const cover = treeCover(leaves, leafCount);
  return ({ lo, hi }) => cover.some((node) => node.lo === lo && node.hi === hi);
}

/** Lets the event loop send what is queued and answer pings between two computations. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
