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
  const { trainingCount } = leaseSamples;
  const shardStep = createShardStep({ recipe, trainer, batcher, trainingCount });
  let current: { readonly lease: LeaseMessage; readonly isLast: (node: TreeNode) => boolean } | undefined;
  return (lease, { leaf, slot }) => {
    if (current?.lease !== lease) current = { lease, isLast: coverOf(lease) };
    const startMs = performance.now();
    const samples = leaseSamples.ofLeaf(lease, leaf);
    const isTest = lease.task === 'evaluate' && lease.split === 'test';
    const facts = sums.facts(slot);
    if (lease.task === 'step') {
      const place = { epoch: lease.epoch, step: lease.step, shard: leaf, into: sums.gradient(slot) };
      facts.set(shardStep(place, splits.train, samples).metrics, 2);
    } else {
      facts.set(trainer.evaluate(batcher(isTest ? splits.test : splits.train, samples)), 2);
    }
    facts[0] = samples.length;
    facts[1] = performance.now() - startMs;
    return sums.add({ lo: leaf, hi: leaf + 1, slot }, lease.leafCount, current.isLast);
  };
}

/** Tells the nodes that are sent: the fewest that hold the lease's leaves, none larger than what is coded as one. */
function coverOf({ leaves, leafCount, coding }: LeaseMessage): (node: TreeNode) => boolean {
  const cover = treeCover(leaves, leafCount, coding?.shards);
  return ({ lo, hi }) => cover.some((node) => node.lo === lo && node.hi === hi);
}
