import type { TreeNode } from '@gradwire/engine';
import { treeCover } from '@gradwire/engine/arithmetic';
import type { LeaseMessage } from '@gradwire/protocol';
import type { Recipe } from '@gradwire/recipes';
import { localStrategy } from '@gradwire/recipes/samples';
import { type Batcher, createShardStep, type RawSamples, type Trainer } from '@gradwire/training';
import { type Cut, cutPieces, leavesOfPass } from './lease-pieces.ts';
import type { LeaseSamples } from './lease-samples.ts';
import { createNodeStep, type NodeStepOptions } from './node-step.ts';
import type { SharedSums, SummedSlot } from './shared-sums.ts';

/** What is needed to compute leaves. */
export interface LeafComputerOptions extends Pick<NodeStepOptions, 'vectors' | 'onLeaf'> {
  readonly recipe: Recipe;
  readonly trainer: Trainer;
  readonly batcher: Batcher;
  readonly leaseSamples: LeaseSamples;
  readonly splits: { readonly train: RawSamples; readonly test: RawSamples };
  readonly sums: SharedSums;
  /** That share a lease. */
  readonly threads: number;
}

/** Computes leases piece by piece. */
export interface LeafComputer {
  /** The nodes that are computed in one go, in order: the same in all threads. */
  pieces(lease: LeaseMessage, cut: Cut): readonly TreeNode[];
  /**
   * Computes a piece into a slot, and adds it to the lease's sums; returns the node to send, if this completes one. Its
   * samples must be present.
   */
  compute(lease: LeaseMessage, piece: SummedSlot): SummedSlot | undefined;
}

interface Division {
  readonly lease: LeaseMessage;
  /** The nodes that are sent: the fewest that hold the lease's leaves, none larger than what is coded as one. */
  readonly cover: readonly TreeNode[];
}

/** Prepares what is the same for all leases of a run. */
export function createLeafComputer(options: LeafComputerOptions): LeafComputer {
  const { recipe, trainer, batcher, leaseSamples, splits, sums, threads, vectors, onLeaf } = options;
  const { trainingCount } = leaseSamples;
  const shardStep = createShardStep({ recipe, trainer, batcher, trainingCount });
  const nodeStep = createNodeStep({ shardStep, leaseSamples, train: splits.train, vectors, onLeaf });
  const takesParts = trainer.takesParts() && localStrategy(recipe.strategy) === undefined;
  const mostLeaves = takesParts ? leavesOfPass(recipe) : 1;
  let current: Division | undefined;

  const divide = (lease: LeaseMessage): Division => {
    if (current?.lease === lease) return current;
    const { leaves, leafCount, coding } = lease;
    return (current = { lease, cover: treeCover(leaves, leafCount, coding?.shards) });
  };
  const evaluate = (lease: LeaseMessage, leaf: number): Float64Array => {
    onLeaf(leaf);
    const samples = leaseSamples.ofLeaf(lease, leaf);
    const metrics = trainer.evaluate(batcher(lease.split === 'test' ? splits.test : splits.train, samples));
    return Float64Array.of(samples.length, 0, ...metrics);
  };

  return {
    pieces: (lease, cut) =>
      cutPieces(divide(lease).cover, { threads, mostLeaves: lease.task === 'step' ? mostLeaves : 1, cut }),
    compute(lease, { lo, hi, slot }) {
      const startMs = performance.now();
      const facts = sums.facts(slot);
      const isStep = lease.task === 'step';
      facts.set(isStep ? nodeStep(lease, { lo, hi }, sums.gradient(slot)) : evaluate(lease, lo));
      facts[1] = performance.now() - startMs;
      const { cover } = divide(lease);
      const isLast = (node: TreeNode): boolean =>
        cover.some((each) => each.lo === node.lo && each.hi === node.hi);
      return sums.add({ lo, hi, slot }, lease.leafCount, isLast);
    },
  };
}
