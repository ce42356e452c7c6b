import { GradwireError } from '@gradwire/errors';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codecOf, createTopK, vectorCodecs, type VectorCodec } from '../index.ts';

const codecs: Record<string, VectorCodec> = {
  ...vectorCodecs,
  'top-k, half': createTopK(0.5),
};
const lossy = Object.entries(codecs).filter(([, { isExact }]) => !isExact);
/** Of the vectors below, short ones end within these. */
const parts = [
  { offset: 0, size: 2 },
  { offset: 2, size: 3 },
  { offset: 40, size: 7 },
  { offset: 300, size: 1 },
];
const keeping = lossy.map(
  ([name, { name: codec }]) => [`${name}, but for parts`, codecOf({ codec }, parts)] as const,
);

/** Any bits at all: NaN payloads, infinities, subnormals, both zeros. */
const anyBits = fc
  .uint8Array({ maxLength: 2_000 })
  .map((bytes) => new Float32Array(bytes.slice(bytes.length % 4).buffer));
/** Finite numbers of every magnitude, with runs of zeros and of equal values. */
const finiteNumber = fc.oneof(
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  fc.float({ min: -1, max: 1, noNaN: true }),
  fc.integer({ min: -300, max: 300 }).map((units) => units * 2 ** -149),
  fc.constantFrom(0, -0, 65_504, 65_519.996, 65_520, 3.4028234663852886e38, -3.4028234663852886e38, 2 ** -25),
);
const finite = fc.oneof(
  fc.array(finiteNumber, { maxLength: 700 }).map((list) => Float32Array.from(list)),
  fc.tuple(fc.nat({ max: 700 }), finiteNumber).map(([count, value]) => new Float32Array(count).fill(value)),
);

function roundTrip(codec: VectorCodec, values: Float32Array): Float32Array {
  return codec.decode(codec.encode(values), values.length);
}

function hexOf(values: Float32Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('hex');
}

describe.each([...Object.entries(codecs), ...keeping])('%s', (_, codec) => {
  test('has the announced size, and reads the same from any address', () => {
    fc.assert(
      fc.property(anyBits, fc.nat({ max: 8 }), (values, shift) => {
        const bytes = codec.encode(values);
        const { min, max } = codec.sizes(values.length);
        expect(bytes.length).toBeGreaterThanOrEqual(min);
        expect(bytes.length).toBeLessThanOrEqual(max);
        const room = Buffer.alloc(bytes.length + 8);
        room.set(bytes, shift);
        const moved = codec.decode(room.subarray(shift, shift + bytes.length), values.length);
        expect(hexOf(moved)).toEqual(hexOf(codec.decode(bytes, values.length)));
      }),
      { seed: 1 },
    );
  });

  test('a vector that is not finite stays so, a finite one too', () => {
    fc.assert(
      fc.property(fc.oneof(anyBits, finite), (values) => {
        expect(roundTrip(codec, values).every(Number.isFinite)).toBe(values.every(Number.isFinite));
      }),
      { seed: 2, numRuns: 200 },
    );
  });

  test('bytes of a stranger give a vector or a GradwireError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat({ max: 80 }), (bytes, count) => {
        try {
          expect(codec.decode(bytes, count)).toHaveLength(count);
        } catch (error) {
          expect((error as GradwireError).code).toBe('MESSAGE_INVALID');
        }
      }),
      { seed: 4, numRuns: 2_000 },
    );
  });

  test('too few and too many bytes are refused', () => {
    const bytes = codec.encode(Float32Array.of(3, 2, 1));
    expect(() => codec.decode(bytes.subarray(1), 3)).toThrow(GradwireError);
    expect(() => codec.decode(Uint8Array.of(...bytes, 0), 3)).toThrow(GradwireError);
  });
});

test('float32 keeps every bit and makes no copy', () => {
  fc.assert(
    fc.property(anyBits, (values) => {
      expect(hexOf(roundTrip(vectorCodecs.float32, values))).toEqual(hexOf(values));
    }),
    { seed: 5 },
  );
  const values = Float32Array.of(1, 2);
  expect(roundTrip(vectorCodecs.float32, values).buffer).toBe(values.buffer);
});

/** The documented error bound of each element. */
const bounds: Record<string, (x: number, values: Float32Array, i: number) => number> = {
  bfloat16: (x) => Math.max(2 ** -8 * Math.abs(x), 2 ** -134),
  float16: (x) => (Math.abs(x) > 65_504 ? Math.abs(x) - 65_504 : Math.max(2 ** -11 * Math.abs(x), 2 ** -25)),
  int8: (_, values, i) => {
    const start = i - (i % 256);
    const largest = values.subarray(start, start + 256).reduce((max, x) => Math.max(max, Math.abs(x)), 0);
    return 0.5001 * Math.max((largest / 127) * (1 + 2 ** -23), largest / 127 + 2 ** -149);
  },
};

test.each(Object.keys(bounds))('%s keeps to its error bound', (name) => {
  const codec = codecs[name]!;
  const bound = bounds[name]!;
  fc.assert(
    fc.property(finite, (values) => {
      const decoded = roundTrip(codec, values);
      // Negated, so that NaN is found too.
      const wrong = values.findIndex((x, i) => !(Math.abs(decoded[i]! - x) <= bound(x, values, i)));
      expect(wrong).toBe(-1);
    }),
    { seed: 6, numRuns: 500 },
  );
});

test('bfloat16 and float16 take the nearest number, ties to even', () => {
  const { bfloat16, float16 } = vectorCodecs;
  const halfway = Float32Array.of(1 + 2 ** -8, 1 + 3 * 2 ** -8, -1 - 2 ** -8 - 2 ** -20);
  expect([...roundTrip(bfloat16, halfway)]).toEqual([1, 1 + 2 ** -6, -1 - 2 ** -7]);
  const other = Float32Array.of(
    1 + 2 ** -11,
    1 + 3 * 2 ** -11,
    2 ** -25,
    3 * 2 ** -25,
    2047.5 * 2 ** -25,
    1 - 2 ** -12,
  );
  const nearest = [1, 1 + 2 ** -9, 0, 2 ** -23, 2 ** -14, 1];
  expect([...roundTrip(float16, other)]).toEqual([
    nearest[0],
    nearest[1],
    nearest[2],
    nearest[3],
    1024 * 2 ** -24,
    1,
  ]);
});

test('float16 reads and writes all its numbers as they are', () => {
  const { float16 } = vectorCodecs;
  const halves = Uint16Array.from({ length: 65_536 }, (_, half) => half).filter(
    (half) => (half & 0x7fff) <= 0x7c00,
  );
  const values = float16.decode(new Uint8Array(halves.buffer), halves.length);
  expect(Buffer.compare(float16.encode(values), new Uint8Array(halves.buffer))).toBe(0);
  expect(values[1]).toBe(2 ** -24);
  expect(values[0x3c00]).toBe(1);
  expect(values[0x7bff]).toBe(65_504);
});

test('int8 marks exactly the elements that are not finite, and keeps the others of their block', () => {
  const values = Float32Array.of(1, Number.NaN, -127, Infinity, -Infinity, 0);
  expect([...roundTrip(vectorCodecs.int8, values)]).toEqual([1, Number.NaN, -127, Number.NaN, Number.NaN, 0]);
});

test.each([-1, Number.NaN, Infinity])('int8 refuses the scale %d', (scale) => {
  const bytes = vectorCodecs.int8.encode(Float32Array.of(1, 2));
  new DataView(bytes.buffer).setFloat32(0, scale, true);
  expect(() => vectorCodecs.int8.decode(bytes, 2)).toThrow(/the scale of block 0/);
});

test('top-k takes the largest, of equal ones the first, and no zeros', () => {
  const third = createTopK(0.3);
  const pick = (...values: number[]): number[] => [...roundTrip(third, Float32Array.from(values))];
  expect(pick(1, -4, 2, 3, 0, -5, 0.5, 0, 0, 0)).toEqual([0, -4, 0, 3, 0, -5, 0, 0, 0, 0]);
  expect(pick(2, -2, 2, 1, 2, 9, 1, 1, 1, 1)).toEqual([2, -2, 0, 0, 0, 9, 0, 0, 0, 0]);
  expect(pick(0, 0, 0, -0, 0, 7, 0, 0, 0, 0)).toEqual([0, 0, 0, 0, 0, 7, 0, 0, 0, 0]);
  expect(third.encode(new Float32Array(10))).toEqual(new Uint8Array(4));
});

test('top-k agrees with sorting', () => {
  fc.assert(
    fc.property(finite, fc.double({ min: 0.001, max: 0.5, noNaN: true }), (values, share) => {
      const order = [...values.keys()].sort((a, b) => Math.abs(values[b]!) - Math.abs(values[a]!) || a - b);
      const expected = new Float32Array(values.length);
      for (const i of order.slice(0, Math.ceil(share * values.length))) expected[i] = values[i]!;
      const rounded = roundTrip(vectorCodecs.bfloat16, expected).map((x) => x + 0);
      expect(hexOf(roundTrip(createTopK(share), values).map((x) => x + 0))).toBe(hexOf(rounded));
    }),
    { seed: 7, numRuns: 500 },
  );
});

test.each<[string, number[], RegExp]>([
  ['more elements than there are', [9, 0, 0, 0, 0, 0, 0, 0], /9 of 8 elements/],
  ['more elements than bytes', [3, 0, 0, 0, 0, 0], /3 of 8 elements in 6 bytes/],
  ['an index beyond the end', [1, 0, 0, 0, 0, 0x40, 8], /element 8 of 8/],
  ['a second index beyond the end', [2, 0, 0, 0, 0, 0x40, 0, 0x40, 7, 0], /element 8 of 8/],
  ['a gap that does not end', [1, 0, 0, 0, 0, 0x40, 0x81], /gap 0 has no end/],
  ['a gap of five bytes', [1, 0, 0, 0, 0, 0x40, 0x81, 0x80, 0x80, 0x80, 0], /gap 0 has no end/],
  ['a gap that is longer than need be', [1, 0, 0, 0, 0, 0x40, 0x81, 0], /longer than need be/],
  ['bytes after the end', [1, 0, 0, 0, 0, 0x40, 1, 1], /1 bytes after the last gap/],
  ['no count', [1, 0, 0], /expected 4 to/],
])('top-k refuses %s', (_, bytes, message) => {
  expect(() => vectorCodecs['top-k'].decode(Uint8Array.from(bytes), 8)).toThrow(message);
});

test.each([0, -1, 0.51, Number.NaN])('a share of %d is refused', (share) => {
  expect(() => createTopK(share)).toThrow(RangeError);
});

test('the bytes of all codecs are known: the same on every machine and in every version', async () => {
  // Any signs and fractions, exponents from 2^-40 to 2^19.
  const bits = Int32Array.from(
    { length: 1_000 },
    (_, i) => ((87 + (i % 60)) << 23) | (Math.imul(i, 7919) & 0x807f_ffff),
  );
  const values = new Float32Array(bits.buffer);
  const digests = await Promise.all(
    lossy.map(async ([name, codec]) => {
      const digest = await crypto.subtle.digest('SHA-256', new Uint8Array(codec.encode(values)));
      return [name, Buffer.from(digest).toString('hex').slice(0, 16)];
    }),
  );
  expect(Object.fromEntries(digests)).toMatchInlineSnapshot(`
    {
      "bfloat16": "8c19f294e5413e0a",
      "float16": "84171c10624ace61",
      "int8": "d3275cea52e14d40",
      "top-k": "b52cf9f5e386b7e8",
      "top-k, half": "37d664e8e512c5ad",
    }
  `);
});
