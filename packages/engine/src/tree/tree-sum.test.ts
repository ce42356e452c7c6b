import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { addSums } from './sums.ts';
import { createTreeSum } from './tree-sum.ts';
import { treeCover } from './tree.ts';
import type { Sums } from './sums.ts';

/** The definition, with absent leaves as `undefined`. */
function recursiveSum(leaves: readonly (number | undefined)[]): number | undefined {
  if (leaves.length === 1) return leaves[0];
  let mid = 1;
  while (mid * 2 < leaves.length) mid *= 2;
  const left = recursiveSum(leaves.slice(0, mid));
  const right = recursiveSum(leaves.slice(mid));
  if (left === undefined || right === undefined) return left ?? right;
  return Math.fround(left + right);
}

function leafSums(value: number): Sums {
  return { samples: 1, gradient: Float32Array.of(value), metrics: Float64Array.of(1) };
}

const float = fc.float({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 });

/** Leaves (some absent), the worker of each, and a key that gives the order of arrival. */
const scenario = fc.array(
  fc.record({
    value: fc.option(float, { nil: undefined, freq: 5 }),
    worker: fc.nat({ max: 4 }),
    order: fc.nat(),
  }),
  { minLength: 1, maxLength: 40 },
);

test('any partition over workers and any order of arrival give the bits of the definition', () => {
  fc.assert(
    fc.property(scenario, (leaves) => {
      const leafCount = leaves.length;
      const root = createTreeSum<Sums>(leafCount, addSums, {
        isPresent: (leaf) => leaves[leaf]?.value !== undefined,
      });
      const parts = [0, 1, 2, 3, 4].flatMap((worker) => {
        const own = [...leaves.keys()].filter(
          (i) => leaves[i]?.worker === worker && leaves[i].value !== undefined,
        );
        // A worker does not know which leaves are absent; its sum simply never gets them.
        const sum = createTreeSum<Sums>(leafCount, addSums);
        const largest = own.map((leaf) =>
          sum.add({ lo: leaf, hi: leaf + 1 }, leafSums(leaves[leaf]?.value ?? 0)),
        );
        return treeCover(own, leafCount).map((node) => {
          const found = largest.find(({ lo, hi }) => lo === node.lo && hi === node.hi);
          if (!found) throw new Error(`no sum for [${node.lo}, ${node.hi})`);
          return found;
        });
      });
      for (const part of parts.toSorted((a, b) => orderOf(a.lo) - orderOf(b.lo))) root.add(part, part.value);

      const expected = recursiveSum(leaves.map(({ value }) => value));
      const found = root.root();
      if (expected === undefined) expect(found).toBeUndefined();
      else expect(Object.is(found?.gradient[0], expected), `${found?.gradient[0]} is ${expected}`).toBe(true);
      expect(found?.samples ?? 0).toBe(leaves.filter(({ value }) => value !== undefined).length);

      function orderOf(leaf: number): number {
        return leaves[leaf]?.order ?? 0;
      }
    }),
    { numRuns: 500 },
  );
});

test('order matters in float32, so the tree is not any other sum', () => {
  const values = [1e8, 1, -1e8, 1];
  const sum = createTreeSum<Sums>(4, addSums);
  for (const [leaf, value] of values.entries()) sum.add({ lo: leaf, hi: leaf + 1 }, leafSums(value));
  expect(sum.root()?.gradient[0]).toBe(0);
  expect(values.reduce((a, b) => Math.fround(a + b))).toBe(1);
});

test('the root appears with the last leaf, not before', () => {
  const sum = createTreeSum<string>(3, (left, right) => `(${left} + ${right})`);
  expect(sum.add({ lo: 2, hi: 3 }, 'c')).toEqual({ lo: 2, hi: 3, value: 'c' });
  expect(sum.add({ lo: 0, hi: 1 }, 'a')).toEqual({ lo: 0, hi: 1, value: 'a' });
  expect(sum.root()).toBeUndefined();
  expect(sum.add({ lo: 1, hi: 2 }, 'b')).toEqual({ lo: 0, hi: 3, value: '((a + b) + c)' });
  expect(sum.root()).toBe('((a + b) + c)');
});

test('a leaf cannot be added twice, nor a range that is no node', () => {
  const sum = createTreeSum<number>(4, (left, right) => left + right);
  sum.add({ lo: 0, hi: 2 }, 1);
  expect(() => sum.add({ lo: 1, hi: 2 }, 1)).toThrow('leaf 1 was added before');
  expect(() => sum.add({ lo: 0, hi: 4 }, 1)).toThrow('leaf 0 was added before');
  expect(() => sum.add({ lo: 1, hi: 3 }, 1)).toThrow(RangeError);
  expect(sum.add({ lo: 2, hi: 4 }, 1).value).toBe(2);
});

test('vectors of different lengths are not added', () => {
  const short = { samples: 1, gradient: new Float32Array(1), metrics: new Float64Array(2) };
  const long = { samples: 1, gradient: new Float32Array(2), metrics: new Float64Array(2) };
  expect(() => addSums(short, long)).toThrow(RangeError);
});
