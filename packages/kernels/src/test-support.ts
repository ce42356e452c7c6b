// What the tests of this package share; not part of what is published.
import { dirname, sep } from 'node:path';
import { createRequire } from 'node:module';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { backend, backend_util, engine, memory, ready, setBackend, tensor } from '@tensorflow/tfjs-core';
import type { NamedAttrMap, Tensor } from '@tensorflow/tfjs-core';
import { uniform } from '@gradwire/random';
import type * as fc from 'fast-check';
import { expect } from 'vitest';
import { loadKernels } from './load-kernels.ts';

/** The values that an arbitrary gives. */
export type Sample<T> = T extends fc.Arbitrary<infer Value> ? Value : never;

/** A tensor's values and shape. */
export interface Values {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** Makes the wasm backend with our kernels the current one. */
export async function startKernels(): Promise<void> {
  const require = createRequire(import.meta.url);
  setWasmPaths(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + sep);
  await setBackend('wasm');
  await ready();
  await loadKernels();
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}

/** Whole numbers from -4 to 4: every sum of products is exact, and ties are frequent. */
export function integers(shape: readonly number[], seed: number): Values {
  const data = uniform({ seed, stream: 'probe' }, sizeOf(shape), { low: -4.5, high: 4.5 });
  return { shape, data: Float32Array.from(data, Math.round) };
}

/** Fractions between -1 and 1. */
export function fractions(shape: readonly number[], seed: number): Values {
  return {
    shape,
    data: Float32Array.from(uniform({ seed, stream: 'probe', a: 1 }, sizeOf(shape), { low: -1, high: 1 })),
  };
}

/** Runs a kernel; nothing but its results may be left on the heap, and they are disposed. */
export function runKernel(
  name: string,
  inputs: Readonly<Record<string, Values & { readonly dtype?: 'bool' }>>,
  attrs: object = {},
): (Values & { data: Float32Array | Uint8Array })[] {
  const tensors = Object.entries(inputs).map(([key, { data, shape, dtype }]) => {
    const typed = dtype === 'bool' ? Uint8Array.from(data) : Float32Array.from(data);
    return [key, tensor(typed, [...shape], dtype ?? 'float32')] as const;
  });
  const before = [memory().numTensors, backend().numDataIds()];
  const output: Tensor | Tensor[] = engine().runKernel(
    name,
    Object.fromEntries(tensors),
    attrs as NamedAttrMap,
  );
  const results = [output].flat().map((result) => {
    const values = { shape: result.shape, data: result.dataSync<'float32' | 'bool'>() };
    result.dispose();
    return values;
  });
  expect([memory().numTensors, backend().numDataIds()]).toEqual(before);
  for (const [, input] of tensors) input.dispose();
  return results;
}

/** Differences may be 1e-5 of the largest element. */
export function expectNear(found: Values | undefined, expected: Values): void {
  expect(found?.shape).toEqual(expected.shape);
  let [difference, largest] = [0, 0];
  for (let i = 0; i < expected.data.length; i++) {
    const [a, b] = [found?.data[i] as number, expected.data[i] as number];
    difference = Math.max(difference, Math.abs(a - b));
    largest = Math.max(largest, Math.abs(b));
    if (Number.isNaN(a)) difference = Number.POSITIVE_INFINITY;
  }
  expect(difference).toBeLessThanOrEqual(1e-5 * largest);
}

/** Zeros of both signs count as equal. */
export function expectEqual(found: Values | undefined, expected: Values): void {
  expect(found?.shape).toEqual(expected.shape);
  expect(Array.from(found?.data ?? [], (value) => value + 0)).toEqual(
    Array.from(expected.data, (value) => value + 0),
  );
}

/** Visits every pair of an input pixel and an output pixel that one element of the filter or window joins. */
export function forEachMeeting(
  info: backend_util.Conv2DInfo,
  visit: (input: number, tap: number, output: number) => void,
): void {
  const { padInfo } = info;
  for (let b = 0; b < info.batchSize; b++)
    for (let r = 0; r < info.outHeight; r++)
      for (let c = 0; c < info.outWidth; c++)
        for (let i = 0; i < info.filterHeight; i++)
          for (let j = 0; j < info.filterWidth; j++) {
            const y = r * info.strideHeight + i * info.dilationHeight - padInfo.top;
            const x = c * info.strideWidth + j * info.dilationWidth - padInfo.left;
            if (y < 0 || x < 0 || y >= info.inHeight || x >= info.inWidth) continue;
            visit(
              (b * info.inHeight + y) * info.inWidth + x,
              i * info.filterWidth + j,
              (b * info.outHeight + r) * info.outWidth + c,
            );
          }
}

/** In double precision, with all gradients for the output gradient `dy`. */
export function referenceConvolution(
  info: backend_util.Conv2DInfo,
  { x, filter, dy }: { x: Values; filter: Values; dy?: Values },
): { y: Float64Array; dx: Float64Array; dFilter: Float64Array } {
  const y = new Float64Array(sizeOf(info.outShape));
  const dx = new Float64Array(x.data.length);
  const dFilter = new Float64Array(filter.data.length);
  const [inputs, outputs] = [info.inChannels, info.outChannels];
  forEachMeeting(info, (input, tap, output) => {
    for (let p = 0; p < inputs; p++) {
      const xAt = input * inputs + p;
      for (let q = 0; q < outputs; q++) {
        const [wAt, yAt] = [(tap * inputs + p) * outputs + q, output * outputs + q];
        const [value, weight] = [x.data[xAt] as number, filter.data[wAt] as number];
        y[yAt] = (y[yAt] as number) + value * weight;
        const gradient = dy?.data[yAt] ?? 0;
        dx[xAt] = (dx[xAt] as number) + weight * gradient;
        dFilter[wAt] = (dFilter[wAt] as number) + value * gradient;
      }
    }
  });
  return { y, dx, dFilter };
}
