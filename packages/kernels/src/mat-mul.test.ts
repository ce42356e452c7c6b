import * as tf from '@tensorflow/tfjs-core';
import * as fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { expectEqual, expectNear, fractions, integers, runKernel, startKernels } from './test-support.ts';
import type { Sample } from './test-support.ts';

beforeAll(startKernels);

const side = fc.integer({ min: 1, max: 21 });
const products = fc.record({
  m: side,
  // 256 rows of b are taken at a time.
  k: fc.oneof(side, fc.integer({ min: 250, max: 520 })),
  n: side,
  transposeA: fc.boolean(),
  transposeB: fc.boolean(),
  seed: fc.nat(),
});

function check(product: Sample<typeof products>, draw: typeof integers, compare: typeof expectNear): void {
  const { m, k, n, transposeA, transposeB, seed } = product;
  const a = draw(transposeA ? [1, k, m] : [1, m, k], seed);
  const b = draw(transposeB ? [1, n, k] : [1, k, n], seed + 1);
  const data = new Float64Array(m * n);
  for (let i = 0; i < m * n; i++) {
    const [row, column] = [Math.floor(i / n), i % n];
    for (let l = 0; l < k; l++) {
      const left = a.data[transposeA ? l * m + row : row * k + l] as number;
      const right = b.data[transposeB ? column * k + l : l * n + column] as number;
      data[i] = (data[i] as number) + left * right;
    }
  }
  compare(runKernel('BatchMatMul', { a, b }, { transposeA, transposeB })[0], { shape: [1, m, n], data });
}

test('whole numbers: exact for every combination of flags', () => {
  fc.assert(
    fc.property(products, (product) => check(product, integers, expectEqual)),
    { seed: 4, numRuns: 300 },
  );
});

test('fractions: within 1e-5 of float64', () => {
  fc.assert(
    fc.property(products, (product) => check(product, fractions, expectNear)),
    { seed: 5, numRuns: 200 },
  );
});

test('stacks of matrices keep their shape, alone or several', () => {
  for (const stack of [1, 3]) {
    const [a, b] = [integers([stack, 3, 2], 1), integers([stack, 4, 3], 2)];
    const found = runKernel('BatchMatMul', { a, b }, { transposeA: true, transposeB: true })[0];
    expect(found?.shape).toEqual([stack, 2, 4]);
    for (let i = 0; i < stack; i++) {
      const part = (values: typeof a, size: number): ArrayLike<number> =>
        Float32Array.from(values.data).subarray(i * size, i * size + size);
      const inputs = {
        a: { shape: [1, 3, 2], data: part(a, 6) },
        b: { shape: [1, 4, 3], data: part(b, 12) },
      };
      const single = runKernel('BatchMatMul', inputs, { transposeA: true, transposeB: true })[0];
      expect(Array.from(found?.data ?? []).slice(i * 8, i * 8 + 8)).toEqual(Array.from(single?.data ?? []));
    }
  }
});

const divided = fc.record({
  parts: fc.constantFrom([7], [4, 9], [3, 3, 2, 3], [1, 2, 1, 1, 5, 1, 1, 1], [1, 256], [2, 300]),
  m: side,
  n: side,
  seed: fc.nat(),
});

test('a sum of products part by part: each has the bits of its own product, and halves are added', () => {
  fc.assert(
    fc.property(divided, ({ parts, m, n, seed }) => {
      const samples = parts.reduce((sum, count) => sum + count, 0);
      const [x, dy] = [fractions([samples, m], seed), fractions([samples, n], seed + 1)];
      const [found] = runKernel('GradwireSumOfProducts', { x, dy }, { parts });
      let first = 0;
      const products = parts.map((count) => {
        const rows = ({ data }: typeof x, width: number): ArrayLike<number> =>
          Float32Array.from(data).subarray(first * width, (first + count) * width);
        const a = { shape: [1, count, m], data: rows(x, m) };
        const b = { shape: [1, count, n], data: rows(dy, n) };
        first += count;
        return runKernel('BatchMatMul', { a, b }, { transposeA: true })[0]?.data as Float32Array;
      });
      expect(found).toEqual({ shape: [m, n], data: addHalves(products) });
    }),
    { seed: 6, numRuns: 200 },
  );
});

function addHalves(sums: readonly Float32Array[]): Float32Array {
  if (sums.length === 1) return sums[0] as Float32Array;
  const half = sums.length / 2;
  const right = addHalves(sums.slice(half));
  return addHalves(sums.slice(0, half)).map((value, i) => value + (right[i] as number));
}

test('parts must be a power of two in number and hold all samples', () => {
  const [x, dy] = [fractions([6, 2], 1), fractions([6, 3], 2)];
  const expected = 'parts: expected 1, 2, 4, … parts of 6 samples, found';
  for (const parts of [[2, 2, 2], [3, 2], [6, 0], []]) {
    expect(() => runKernel('GradwireSumOfProducts', { x, dy }, { parts })).toThrow(
      `${expected} ${parts.length} that hold [${parts.join(', ')}]`,
    );
  }
});

test('an empty sum is zero', () => {
  const [found] = runKernel('BatchMatMul', { a: integers([1, 2, 0], 1), b: integers([1, 0, 3], 1) });
  expectEqual(found, { shape: [1, 2, 3], data: [0, 0, 0, 0, 0, 0] });
});

test('scratch space for which the heap must grow, in the middle of a kernel', () => {
  const [k, n] = [256, 1 << 16];
  const [a, b] = [tf.ones([1, k]) as tf.Tensor2D, tf.ones([k, n]) as tf.Tensor2D];
  const before = heapBytes();
  const product = tf.matMul(a, b);
  expect(heapBytes()).toBeGreaterThan(before);
  expect(product.dataSync().every((value) => value === k)).toBe(true);
  tf.dispose([a, b, product]);
});

function heapBytes(): number {
  return (tf.backend() as unknown as { wasm: { HEAPU8: Uint8Array } }).wasm.HEAPU8.length;
}
