import { backend, engine, memory, tensor } from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import * as fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { loadWasm } from './load-wasm.ts';
import { convolutionInfo } from './convolution.ts';

type Sample<T> = T extends fc.Arbitrary<infer Value> ? Value : never;

beforeAll(async () => {
  await loadWasm();
});

/** Whole numbers, so that every sum is exact and results can be compared for equality. */
const smallIntegers = (length: number, seed: number): Float32Array => {
  let state = seed >>> 0;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 28) - 8;
  });
};

const layers = fc
  .record({
    batch: fc.integer({ min: 1, max: 4 }),
    height: fc.integer({ min: 3, max: 9 }),
    width: fc.integer({ min: 3, max: 9 }),
    inputs: fc.integer({ min: 1, max: 5 }),
    outputs: fc.integer({ min: 1, max: 13 }),
    filterHeight: fc.integer({ min: 1, max: 3 }),
    filterWidth: fc.integer({ min: 1, max: 3 }),
    strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    pad: fc.constantFrom('valid', 'same'),
    seed: fc.nat(),
  })
  .map((layer) => {
    const inputShape = [layer.batch, layer.height, layer.width, layer.inputs];
    const filterShape = [layer.filterHeight, layer.filterWidth, layer.inputs, layer.outputs];
    const attrs = { strides: layer.strides, pad: layer.pad, dataFormat: 'NHWC', inputShape, filterShape };
    return {
      ...layer,
      inputShape,
      filterShape,
      attrs,
      info: convolutionInfo(inputShape, filterShape, attrs),
    };
  });

type Layer = Sample<typeof layers>;

/** Visits every product that the convolution is made of: x index, filter index, y index. */
function forEachProduct({ info }: Layer, visit: (x: number, filter: number, y: number) => void): void {
  const { padInfo } = info;
  for (let b = 0; b < info.batchSize; b++)
    for (let r = 0; r < info.outHeight; r++)
      for (let c = 0; c < info.outWidth; c++)
        for (let i = 0; i < info.filterHeight; i++)
          for (let j = 0; j < info.filterWidth; j++) {
            const y = r * info.strideHeight + i - padInfo.top;
            const x = c * info.strideWidth + j - padInfo.left;
            if (y < 0 || x < 0 || y >= info.inHeight || x >= info.inWidth) continue;
            for (let p = 0; p < info.inChannels; p++)
              for (let q = 0; q < info.outChannels; q++)
                visit(
                  ((b * info.inHeight + y) * info.inWidth + x) * info.inChannels + p,
                  ((i * info.filterWidth + j) * info.inChannels + p) * info.outChannels + q,
                  ((b * info.outHeight + r) * info.outWidth + c) * info.outChannels + q,
                );
          }
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

function runKernel(name: string, inputs: Record<string, Tensor>, attrs: object): Float32Array {
  const tensors = memory().numTensors;
  const buffers = backend().numDataIds();
  const result = engine().runKernel(name, inputs, attrs as never) as Tensor;
  const values = result.dataSync<'float32'>();
  result.dispose();
  expect(memory().numTensors).toBe(tensors);
  expect(backend().numDataIds()).toBe(buffers);
  return values;
}

function checkFilterGradient(layer: Layer): void {
  const x = smallIntegers(sizeOf(layer.inputShape), layer.seed);
  const dy = smallIntegers(sizeOf(layer.info.outShape), layer.seed + 1);
  const expected = new Float64Array(sizeOf(layer.filterShape));
  forEachProduct(layer, (xi, fi, yi) => {
    expected[fi] = (expected[fi] as number) + (x[xi] as number) * (dy[yi] as number);
  });
  const inputs = { x: tensor(x, layer.inputShape), dy: tensor(dy, layer.info.outShape) };
  const found = runKernel('Conv2DBackpropFilter', inputs, layer.attrs);
  expect(found).toEqual(Float32Array.from(expected));
}

test('the filter gradient equals the sum of its products', () => {
  fc.assert(fc.property(layers, checkFilterGradient), { seed: 1, numRuns: 200 });
});

test('the filter gradient of many samples, computed in several chunks, is exact too', () => {
  const inputShape = [230, 12, 12, 8];
  const filterShape = [3, 3, 8, 4];
  const attrs = { strides: [1, 1], pad: 'valid', dataFormat: 'NHWC', inputShape, filterShape };
  const info = convolutionInfo(inputShape, filterShape, attrs);
  checkFilterGradient({ inputShape, filterShape, attrs, info, seed: 5 } as unknown as Layer);
});

function checkInputGradient(layer: Layer): void {
  const filter = smallIntegers(sizeOf(layer.filterShape), layer.seed);
  const dy = smallIntegers(sizeOf(layer.info.outShape), layer.seed + 1);
  const expected = new Float64Array(sizeOf(layer.inputShape));
  forEachProduct(layer, (xi, fi, yi) => {
    expected[xi] = (expected[xi] as number) + (filter[fi] as number) * (dy[yi] as number);
  });
  const inputs = { dy: tensor(dy, layer.info.outShape), filter: tensor(filter, layer.filterShape) };
  const found = runKernel('Conv2DBackpropInput', inputs, layer.attrs);
  expect(found).toEqual(Float32Array.from(expected));
}

test('the input gradient equals the sum of its products', () => {
  fc.assert(fc.property(layers, checkInputGradient), { seed: 2, numRuns: 200 });
});

test('a NaN in dy reaches the filters it belongs to, and no others', () => {
  const x = tensor(smallIntegers(16, 1), [1, 4, 4, 1]);
  const dy = tensor([1, 2, Number.NaN, 4, 1, 2, 3, 4], [1, 2, 2, 2]);
  const attrs = { strides: [1, 1], pad: 'valid', dataFormat: 'NHWC', filterShape: [3, 3, 1, 2] };
  const found = runKernel('Conv2DBackpropFilter', { x, dy }, attrs);
  expect(found.map((value, i) => Number(Number.isNaN(value) === (i % 2 === 0)))).toEqual(
    new Float32Array(18).fill(1),
  );
});

test('the layout NCHW is refused', () => {
  const x = tensor(smallIntegers(16, 1), [1, 1, 4, 4]);
  const dy = tensor(smallIntegers(4, 1), [1, 1, 2, 2]);
  const attrs = { strides: [1, 1], pad: 'valid', dataFormat: 'NCHW', filterShape: [3, 3, 1, 1] };
  expect(() => engine().runKernel('Conv2DBackpropFilter', { x, dy }, attrs)).toThrow(RangeError);
});
