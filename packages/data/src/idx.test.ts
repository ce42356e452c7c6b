import { GradwireError } from '@gradwire/errors';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { IdxArray } from './index.ts';
import { readIdx, writeIdx } from './index.ts';

function failure(run: () => unknown): GradwireError {
  try {
    run();
  } catch (error) {
    if (error instanceof GradwireError) return error;
    throw error;
  }
  throw new Error('expected a GradwireError');
}

const shapes = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 4 });

const arrays: fc.Arbitrary<IdxArray> = shapes.chain((shape) => {
  const size = shape.reduce((product, n) => product * n, 1);
  const length = { minLength: size, maxLength: size };
  return fc.oneof(
    fc.uint8Array(length).map((data) => ({ dtype: 'uint8', shape, data }) as const),
    fc.int8Array(length).map((data) => ({ dtype: 'int8', shape, data }) as const),
    fc.int16Array(length).map((data) => ({ dtype: 'int16', shape, data }) as const),
    fc.int32Array(length).map((data) => ({ dtype: 'int32', shape, data }) as const),
    fc.float32Array(length).map((data) => ({ dtype: 'float32', shape, data }) as const),
    fc.float64Array(length).map((data) => ({ dtype: 'float64', shape, data }) as const),
  );
});

test('what is written is read, for every type and rank', () => {
  fc.assert(
    fc.property(arrays, (array) => {
      expect(readIdx(writeIdx(array), 'x')).toEqual(array);
    }),
    { seed: 1, numRuns: 500 },
  );
});

test('a file that lies inside a larger buffer is read', () => {
  const bytes = writeIdx({ dtype: 'int16', shape: [2], data: Int16Array.of(-2, 300) });
  const buffer = new Uint8Array(bytes.length + 7);
  buffer.set(bytes, 3);
  expect(readIdx(buffer.subarray(3, 3 + bytes.length), 'x').data).toEqual(Int16Array.of(-2, 300));
});

test.each([
  ['uint8', Uint8Array.of(1, 255), [0, 0, 0x08, 1, 0, 0, 0, 2, 1, 255]],
  ['int8', Int8Array.of(-1), [0, 0, 0x09, 1, 0, 0, 0, 1, 255]],
  ['int16', Int16Array.of(258), [0, 0, 0x0b, 1, 0, 0, 0, 1, 1, 2]],
  ['int32', Int32Array.of(-2), [0, 0, 0x0c, 1, 0, 0, 0, 1, 255, 255, 255, 254]],
  ['float32', Float32Array.of(1), [0, 0, 0x0d, 1, 0, 0, 0, 1, 0x3f, 0x80, 0, 0]],
  ['float64', Float64Array.of(1), [0, 0, 0x0e, 1, 0, 0, 0, 1, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0]],
])('the format of %s is big-endian with the published type code', (dtype, data, bytes) => {
  expect([...writeIdx({ dtype, shape: [data.length], data } as IdxArray)]).toEqual(bytes);
});

test('every truncated file is refused by name', () => {
  const bytes = writeIdx({ dtype: 'uint8', shape: [3, 2], data: Uint8Array.of(1, 2, 3, 4, 5, 6) });
  for (let length = 0; length < bytes.length; length++) {
    const error = failure(() => readIdx(bytes.subarray(0, length), 'train-images'));
    expect(error.code).toBe('DATA_CORRUPT');
    expect(error.message).toMatch(/^train-images: expected .* found /);
  }
});

test('the message tells the expected and the found size', () => {
  const bytes = writeIdx({ dtype: 'uint8', shape: [3000, 2], data: new Uint8Array(6000) });
  expect(failure(() => readIdx(bytes.subarray(0, 1024), 'a')).message).toBe(
    'a: expected 6,012 bytes (uint8 3000 x 2), found 1,024',
  );
  const longer = new Uint8Array(6013);
  longer.set(bytes);
  expect(failure(() => readIdx(longer, 'a')).message).toMatch(/expected 6,012 bytes .* found 6,013$/);
});

test.each([
  ['a wrong magic number', [1, 0, 8, 1, 0, 0, 0, 0]],
  ['an unknown type', [0, 0, 0x0a, 1, 0, 0, 0, 0]],
  ['rank 0', [0, 0, 8, 0]],
  ['text', [0x3c, 0x68, 0x74, 0x6d, 0x6c]],
])('refuses %s', (_name, bytes) => {
  const error = failure(() => readIdx(Uint8Array.from(bytes), 'labels'));
  expect(error.code).toBe('DATA_CORRUPT');
  expect(error.message).toMatch(/^labels: expected an IDX file/);
});

test('refuses sizes whose product no number holds', () => {
  const bytes = Uint8Array.from([0, 0, 8, 250, ...Array<number>(1000).fill(255)]);
  expect(failure(() => readIdx(bytes, 'x')).message).toMatch(/found 1,004$/);
});

test('a compressed file is recognised', () => {
  expect(failure(() => readIdx(Uint8Array.of(0x1f, 0x8b, 8, 0), 'x')).hint).toMatch(/unpack/);
});

test('writeIdx refuses an array that contradicts itself', () => {
  const data = new Uint8Array(4);
  expect(() => writeIdx({ dtype: 'uint8', shape: [5], data })).toThrow(/5 elements .* got 4/);
  expect(() => writeIdx({ dtype: 'uint8', shape: [], data })).toThrow(RangeError);
  expect(() => writeIdx({ dtype: 'uint8', shape: [-4], data })).toThrow(/got \[-4\]/);
});
