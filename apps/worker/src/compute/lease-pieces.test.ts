import { isTreeNode, treeCover } from '@gradwire/engine';
import { mnistCnn, type ModelSpec } from '@gradwire/models';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Cut, cutPieces, samplesOfPass } from './lease-pieces.ts';

const sizes = (nodes: readonly { lo: number; hi: number }[]): number[] => nodes.map(({ lo, hi }) => hi - lo);
const root = (hi: number): { lo: number; hi: number }[] => [{ lo: 0, hi }];

test('evenly cut pieces are as large as one pass takes, and as many for each thread', () => {
  const cut = 'even';
  expect(sizes(cutPieces(root(8), { threads: 1, mostLeaves: 4, cut }))).toEqual([4, 4]);
  expect(sizes(cutPieces(root(8), { threads: 2, mostLeaves: 4, cut }))).toEqual([4, 4]);
  expect(sizes(cutPieces(root(8), { threads: 3, mostLeaves: 4, cut }))).toEqual([2, 2, 2, 1, 1]);
  expect(sizes(cutPieces(root(64), { threads: 2, mostLeaves: 16, cut }))).toEqual([16, 16, 16, 16]);
});

test('tapered pieces become smaller towards the end', () => {
  const cut = 'tapered';
  expect(sizes(cutPieces(root(8), { threads: 1, mostLeaves: 4, cut }))).toEqual([4, 4]);
  expect(sizes(cutPieces(root(8), { threads: 2, mostLeaves: 4, cut }))).toEqual([2, 2, 1, 1, 1, 1]);
  expect(sizes(cutPieces(root(64), { threads: 2, mostLeaves: 32, cut }))).toEqual([
    16, 16, 8, 8, 4, 4, 2, 2, 1, 1, 1, 1,
  ]);
});

test('where a leaf fills a pass, each is a piece', () => {
  for (const mostLeaves of [0, 0.2, 1, 1.9]) {
    expect(sizes(cutPieces(root(4), { threads: 1, mostLeaves, cut: 'even' }))).toEqual([1, 1, 1, 1]);
  }
});

test('a pass has 64 samples, fewer of a network whose layers give much', () => {
  expect(samplesOfPass(mnistCnn)).toBe(64);
  // 224 x 224 x 64 numbers of each sample: 12.8 MB.
  const large: ModelSpec = {
    name: 'large',
    inputShape: [224, 224, 3],
    layers: [{ type: 'conv2d', filters: 64, kernelSize: 3, padding: 'same' }],
  };
  expect(samplesOfPass(large)).toBe(5);
  expect(samplesOfPass({ ...large, inputShape: [2240, 2240, 3] })).toBe(1);
});

const leases = fc
  .tuple(
    fc.integer({ min: 1, max: 70 }),
    fc.integer({ min: 1, max: 5 }),
    fc.double({ min: 0, max: 80, noNaN: true }),
  )
  .chain(([leafCount, threads, mostLeaves]) =>
    fc.record({
      leafCount: fc.constant(leafCount),
      options: fc.record({
        threads: fc.constant(threads),
        mostLeaves: fc.constant(mostLeaves),
        cut: fc.constantFrom<Cut>('even', 'tapered'),
      }),
      leaves: fc.subarray([...Array(leafCount).keys()], { minLength: 1 }),
      groupSize: fc.constantFrom(undefined, 1, 2, 4, 8),
    }),
  );

test('pieces hold each leaf once, in order, and each is a node of the tree with a power of two leaves', () => {
  fc.assert(
    fc.property(leases, ({ leafCount, options, leaves, groupSize }) => {
      const pieces = cutPieces(treeCover(leaves, leafCount, groupSize), options);
      const held = pieces.flatMap(({ lo, hi }) => Array.from({ length: hi - lo }, (_, i) => lo + i));
      expect(held).toEqual(leaves);
      for (const { lo, hi } of pieces) {
        expect(isTreeNode(lo, hi, leafCount)).toBe(true);
        expect(Math.log2(hi - lo) % 1).toBe(0);
        if (hi - lo > 1) expect(hi - lo).toBeLessThanOrEqual(options.mostLeaves);
      }
    }),
    { seed: 1, numRuns: 500 },
  );
});
