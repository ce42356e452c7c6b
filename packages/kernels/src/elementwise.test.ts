import * as tf from '@tensorflow/tfjs-core';
import * as fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { expectEqual, integers, runKernel, sizeOf, startKernels } from './test-support.ts';

beforeAll(startKernels);

const shapes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 });

test('a bias is added along the last axis, and relu cuts off what is not above 0', () => {
  const property = fc.property(shapes, fc.boolean(), fc.nat(), (shape, relu, seed) => {
    const columns = shape.at(-1) as number;
    const [x, bias] = [integers(shape, seed), integers([columns], seed + 1)];
    const data = Array.from(x.data, (value, i) => {
      const sum = value + (bias.data[i % columns] as number);
      return relu ? Math.max(sum, 0) : sum;
    });
    expectEqual(runKernel('GradwireAddBias', { x, bias }, { relu })[0], { shape, data });
  });
  fc.assert(property, { seed: 1, numRuns: 200 });
});

test('the gradient passes relu where its output is above 0', () => {
  const property = fc.property(shapes, fc.nat(), (shape, seed) => {
    const [y, dy] = [integers(shape, seed), integers(shape, seed + 1)];
    const data = Array.from(dy.data, (value, i) => ((y.data[i] as number) > 0 ? value : 0));
    expectEqual(runKernel('GradwireReluGradient', { dy, y })[0], { shape, data });
  });
  fc.assert(property, { seed: 2, numRuns: 200 });
});

test('the sum over any axes is exact', () => {
  const property = fc.property(
    shapes,
    fc.integer({ min: 1, max: 15 }),
    fc.boolean(),
    (shape, bits, keepDims) => {
      const axis = [...shape.keys()].filter((i) => (bits >> i) & 1);
      fc.pre(axis.length > 0);
      const x = integers(shape, bits);
      const kept = shape.map((length, i) => (axis.includes(i) ? 1 : length));
      const data = new Float64Array(sizeOf(kept));
      Array.from(x.data).forEach((value, index) => {
        let [rest, place, scale] = [index, 0, 1];
        for (let i = shape.length - 1; i >= 0; i--) {
          const coordinate = rest % (shape[i] as number);
          rest = Math.floor(rest / (shape[i] as number));
          if (axis.includes(i)) continue;
          place += coordinate * scale;
          scale *= shape[i] as number;
        }
        data[place] = (data[place] as number) + value;
      });
      const found = tf.tidy(() => {
        const sum = tf.sum(tf.tensor(Float32Array.from(x.data), shape), axis, keepDims);
        return { shape: sum.shape, data: sum.dataSync() };
      });
      expectEqual(found, { shape: keepDims ? kept : shape.filter((_, i) => !axis.includes(i)), data });
    },
  );
  fc.assert(property, { seed: 5, numRuns: 300 });
});

test('a clone shares its data and outlives the original', () => {
  const before = tf.memory();
  const original = tf.tensor1d([1, 2, 3]);
  const copy = original.clone();
  const cast = tf.cast(original, 'float32');
  expect(tf.memory().numDataBuffers).toBe(before.numDataBuffers + 1);
  original.dispose();
  expect(Array.from(copy.dataSync())).toEqual([1, 2, 3]);
  copy.dispose();
  expect(Array.from(cast.dataSync())).toEqual([1, 2, 3]);
  cast.dispose();
  expect(tf.memory().numDataBuffers).toBe(before.numDataBuffers);
});

test('cast to another type still converts', () => {
  const found = tf.cast(tf.tensor1d([1.7, -1.7, 0]), 'int32');
  expect(found.dtype).toBe('int32');
  expect(Array.from(found.dataSync())).toEqual([1, -1, 0]);
});
