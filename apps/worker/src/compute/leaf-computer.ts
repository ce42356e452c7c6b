import { treeCover } from '@gradwire/engine';
import type { TreeNode } from '@gradwire/engine';
import type { LeaseMessage } from '@gradwire/protocol';
import type { Recipe } from '@gradwire/recipes';
import { type Batcher, createShardStep, type RawSamples, type Trainer } from '@gradwire/training';
import type { LeaseSamples } from './lease-samples.ts';
import type { SharedSums, SummedSlot } from './shared-sums.ts';

/** What is needed to compute leaves. */
export interface LeafComputerOptions {
  readonly recipe: Recipe;
  readonly trainer: Trainer;
  readonly batcher: Batcher;
  readonly leaseSamples: LeaseSamples;
  readonly splits: { readonly train: RawSamples; readonly test: RawSamples };
  readonly sums: SharedSums;
}

/** Computes one leaf into a slot, and adds it to the lease's sums; returns the node to send, if this completes one. */
export type LeafComputer = (
  lease: LeaseMessage,
  place: { readonly leaf: number; readonly slot: number },
) => SummedSlot | undefined;

/** The leaf's samples must be present. */
export function createLeafComputer(options: LeafComputerOptions): LeafComputer {
  const { recipe, trainer, batcher, leaseSamples, splits, sums } = options;
  const shardStep = createShardStep({ recipe, trainer, batcher, trainingCount: leaseSamples.trainingCount });
  let current: { readonly lease: LeaseMessage; readonly isLast: (node: TreeNode) => boolean } | undefined;
  return (lease, { leaf, slot }) => {
    if (current?.lease !== lease) current = { lease, isLast: coverOf(lease) };
    const startMs = performance.now();
    const samples = leaseSamples.ofLeaf(lease, leaf);
    const isTest = lease.task === 'evaluate' && lease.split === 'test';
    const facts = sums.facts(slot);
    if (lease.task === 'step') {
      const { gradient, metrics } = shardStep({ ...lease, shard: leaf }, splits.train, samples);
      sums.gradient(slot).set(gradient);
      facts.set(metrics, 2);
    } else {
      const batch = batcher(isTest ? splits.test : splits.train, samples);
      facts.set(trainer.evaluate(batch), 2);
    }
    facts[0] = samples.length;
    facts[1] = performance.now() - startMs;
    return sums.add({ lo: leaf, hi: leaf + 1, slot }, lease.leafCount, current.isLast);
  };
}

/** Tells the nodes that are sent: the fewest that hold the lease's leaves. */
function coverOf({ leaves, leafCount }: LeaseMessage): (node: TreeNode) => boolean {
  const cover = treeCover(leaves, leafCount);
  return ({ lo, hi }) => cover.some((node) => node.lo === lo && node.hi === hi);
}
