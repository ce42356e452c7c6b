import type { TreeNode, VectorMath } from '@gradwire/engine';
import type { LeaseMessage } from '@gradwire/protocol';
import type { RawSamples, ShardStep } from '@gradwire/training';
import { concat, type LeaseSamples } from './lease-samples.ts';

/** What a step's leaves are computed with. */
export interface NodeStepOptions {
  readonly shardStep: ShardStep;
  readonly leaseSamples: LeaseSamples;
  readonly train: RawSamples;
  readonly vectors: Pick<VectorMath, 'add'>;
  /** Told which leaf is computed, and the first one of several. */
  readonly onLeaf: (leaf: number) => void;
}

/** Computes a node of a power of two leaves: its gradient goes into `into`. Returns `[samples, 0, ...metrics]`. */
export type NodeStep = (lease: LeaseMessage, node: TreeNode, into: Float32Array) => Float64Array;

/** All leaves of a node in one pass; one after the other if that fails. */
export function createNodeStep(options: NodeStepOptions): NodeStep {
  const { shardStep, leaseSamples, train, vectors, onLeaf } = options;
  let isOnePassEnough = true;

  const inOnePass: NodeStep = (lease, { lo, hi }, into) => {
    onLeaf(lo);
    const samples = Array.from({ length: hi - lo }, (_, i) => leaseSamples.ofLeaf(lease, lo + i));
    const { epoch, step } = lease;
    const parts = samples.map(({ length }) => length);
    const all = concat(samples);
    const { metrics } = shardStep({ epoch, step, shard: lo, into, parts }, train, all);
    return Float64Array.of(all.length, 0, ...metrics);
  };

  const compute: NodeStep = (lease, node, into) => {
    const { lo, hi } = node;
    if (hi - lo === 1) return inOnePass(lease, node, into);
    try {
      if (isOnePassEnough) return inOnePass(lease, node, into);
    } catch {
      // Most likely there is no memory for so many samples; and a leaf that cannot be computed has to be named.
      isOnePassEnough = false;
    }
    const mid = (lo + hi) / 2;
    const facts = compute(lease, { lo, hi: mid }, into);
    const right = new Float32Array(into.length);
    const more = compute(lease, { lo: mid, hi }, right);
    vectors.add(into, right);
    return facts.map((value, i) => value + (more[i] ?? 0));
  };
  return compute;
}
