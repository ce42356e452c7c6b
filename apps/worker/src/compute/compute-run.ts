import type { TreeNode } from '@gradwire/engine';
import { isGroupNode, statisticParameters } from '@gradwire/engine/arithmetic';
import {
  codecOf,
  type LeaseMessage,
  type PartialMessage,
  type VectorCodec,
  type VectorPart,
  type WelcomeMessage,
} from '@gradwire/protocol';
import type { Recipe } from '@gradwire/recipes';
import { answerCount, initialWeights, parameterLayout } from '@gradwire/models';
import { createCutChoice } from './cut-choice.ts';
import { concat, createLeaseSamples } from './lease-samples.ts';
import { createResiduals } from './residuals.ts';
import { createSumsMemory, openSharedSums, type SharedSums, type SummedSlot } from './shared-sums.ts';
import type { SampleStore } from '../sample-store.ts';
import type { SummedReplies, ThreadPool } from './thread-pool.ts';

/** What a run is computed with. */
export interface ComputeRunOptions {
  readonly pool: ThreadPool;
  readonly recipe: Recipe;
  readonly statistics: WelcomeMessage['statistics'];
  readonly stores: { readonly train: SampleStore; readonly test: SampleStore };
  /** {@link sharedInitialWeights} of the recipe; they are overwritten by others. */
  readonly weights: Float32Array;
}

/** Turns leases into partials, on all threads of the pool. */
export interface ComputeRun {
  /** Hash of the probe gradient. */
  readonly probe: string;
  /** Training samples of whole shards, for fetching ahead. */
  shardSamples(shards: readonly number[]): Uint32Array;
  /** Not while a lease is computed. */
  setWeights(values: Float32Array): void;
  /**
   * Yields each node of the canonical tree as soon as it is complete, in any order. The gradient of a partial is valid
   * until the next one is asked for. Replays yield none. Stopping early is fine: what is being computed is finished and thrown away.
   */
  compute(lease: LeaseMessage): AsyncGenerator<PartialMessage>;
}

/** For all threads: each would need 50 ms for them. */
export function sharedInitialWeights({ model, seed }: Recipe): Float32Array {
  const initial = initialWeights(model, seed);
  const weights = new Float32Array(new SharedArrayBuffer(initial.byteLength));
  weights.set(initial);
  return weights;
}

/** Allocates the shared memory of a run and builds the model in every thread. */
export async function openComputeRun({
  pool,
  recipe,
  statistics,
  stores,
  weights,
}: ComputeRunOptions): Promise<ComputeRun> {
  const counts = { train: stores.train.count, test: stores.test.count };
  const leaseSamples = createLeaseSamples(recipe, counts);
  const layout = parameterLayout(recipe.model);
  const { size: parameters } = layout;
  const metrics = metricsOf(recipe);
  const { mostLeaves: leaves } = leaseSamples;
  const memory = createSumsMemory({ parameters, metrics: metrics.evaluate, leaves, threads: pool.size });
  const sums = openSharedSums(memory);
  const splits = { train: stores.train.samples, test: stores.test.samples };
  const probe = await pool.open({ recipe, statistics, counts, splits, weights, sums: memory });

  const exactParts = statisticParameters(layout);
  const residuals = createResiduals(exactParts);
  const cuts = createCutChoice();
  let weightsSet = 0;
  const toPartial = (lease: LeaseMessage, { lo, hi, slot }: SummedSlot): PartialMessage => {
    const [samples = 0, computeMs = 0] = sums.facts(slot);
    const node = { lo, hi };
    const gradient = lease.task === 'step' ? sums.gradient(slot) : new Float32Array(0);
    const codec = codecFor(lease, node, exactParts);
    return {
      type: 'partial',
      term: lease.term,
      round: lease.round,
      lo,
      hi,
      samples,
      // The threads work side by side: this is how long the worker was occupied.
      computeMs: computeMs / pool.size,
      metrics: sums.facts(slot).slice(2, 2 + metrics[lease.task]),
      ...(lease.feedback ? residuals.code(lease, node, gradient) : { gradient, ...(codec && { codec }) }),
    };
  };

  return {
    probe,
    shardSamples: leaseSamples.ofShards,
    setWeights(values) {
      weights.set(values);
      weightsSet += 1;
    },
    async *compute(lease) {
      const isTest = lease.task === 'evaluate' && lease.split === 'test';
      const samples = concat(lease.leaves.map((leaf) => leaseSamples.ofLeaf(lease, leaf)));
      await stores[isTest ? 'test' : 'train'].ensure(samples);
      const cursor = new Int32Array(new SharedArrayBuffer(4));
      const cut = lease.task === 'step' ? cuts.next() : 'tapered';
      const startMs = performance.now();
      const replies = pool.compute({ type: 'compute', lease, cursor, cut, weightsSet });
      let isDone = false;
      try {
        for (let reply = await replies.next(); reply; reply = await replies.next()) {
          const partial = toPartial(lease, reply);
          if (!lease.feedback?.isReplay) yield partial;
          sums.free(reply.slot);
        }
        isDone = true;
        if (lease.task === 'step') cuts.record(cut, (performance.now() - startMs) / samples.length);
      } finally {
        Atomics.store(cursor, 0, lease.leaves.length);
        if (!isDone) await abandon(replies, sums);
      }
    },
  };
}

/** Waits until no thread computes any more, and throws away what they did. */
async function abandon(replies: SummedReplies, sums: SharedSums): Promise<void> {
  sums.reset();
  while (await replies.next().catch(() => undefined)) sums.reset();
  sums.reset();
}

/** A whole group is sent in the lease's codec, a part of one as it is. */
function codecFor(
  { coding, leafCount }: LeaseMessage,
  node: TreeNode,
  exactParts: readonly VectorPart[],
): VectorCodec | undefined {
  return coding && isGroupNode(node, leafCount, coding.shards) ? codecOf(coding, exactParts) : undefined;
}

/** Metrics of a leaf: loss and right answers, in an evaluation the confusion matrix too. */
function metricsOf({ task }: Recipe): Record<LeaseMessage['task'], number> {
  return { step: 2, evaluate: 2 + answerCount(task) ** 2 };
}
