import { plainVectors } from '@gradwire/engine';
import type { LeaseMessage } from '@gradwire/protocol';
import type { RawSamples } from '@gradwire/training';
import { expect, test } from 'vitest';
import type { LeaseSamples } from './lease-samples.ts';
import { createNodeStep, type NodeStepOptions } from './node-step.ts';

const lease = { type: 'lease', task: 'step', epoch: 0, step: 0 } as unknown as LeaseMessage;
const train: RawSamples = { features: new Uint8Array(0), labels: new Uint8Array(0) };

const ofLeaf: LeaseSamples['ofLeaf'] = (_, number) => new Uint32Array(number + 1);

/** A leaf has as many samples as its number says, plus one; its gradient is its number, its metrics are [number, 1]. */
function start(fails: (first: number, leaves: number) => boolean): {
  compute: (lo: number, hi: number) => { facts: number[]; gradient: number };
  passes: string[];
  leaf: () => number;
} {
  const passes: string[] = [];
  let leaf = -1;
  const shardStep: NodeStepOptions['shardStep'] = ({ shard, into, parts = [] }) => {
    passes.push(parts.join('+'));
    if (fails(shard, parts.length)) throw new Error('no memory');
    const numbers = parts.map((_, i) => shard + i);
    const sum = numbers.reduce((total, number) => total + number, 0);
    into.fill(sum);
    return { gradient: into, metrics: Float64Array.of(sum, numbers.length) };
  };
  const step = createNodeStep({
    shardStep,
    leaseSamples: { ofLeaf } as LeaseSamples,
    train,
    vectors: plainVectors,
    onLeaf: (each) => (leaf = each),
  });
  return {
    passes,
    leaf: () => leaf,
    compute: (lo, hi) => {
      const into = new Float32Array(1);
      return { facts: [...step(lease, { lo, hi }, into)], gradient: into[0] as number };
    },
  };
}

test('the leaves of a node are computed in one pass, which is told how many samples each has', () => {
  const { compute, passes } = start(() => false);
  expect(compute(4, 8)).toEqual({ facts: [26, 0, 22, 4], gradient: 22 });
  expect(compute(3, 4)).toEqual({ facts: [4, 0, 3, 1], gradient: 3 });
  expect(passes).toEqual(['5+6+7+8', '4']);
});

test('where a pass of several leaves fails, they are computed one after the other from then on', () => {
  const { compute, passes } = start((_, leaves) => leaves > 1);
  expect(compute(4, 8)).toEqual({ facts: [26, 0, 22, 4], gradient: 22 });
  expect(compute(0, 2)).toEqual({ facts: [3, 0, 1, 2], gradient: 1 });
  expect(passes).toEqual(['5+6+7+8', '5', '6', '7', '8', '1', '2']);
});

test('a leaf that fails alone too is named', () => {
  const { compute, leaf } = start((first, leaves) => first <= 6 && first + leaves > 6);
  expect(() => compute(4, 8)).toThrow('no memory');
  expect(leaf()).toBe(6);
});
