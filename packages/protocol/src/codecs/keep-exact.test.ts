import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CodecName, codecOf, type VectorPart, vectorCodecs } from '../index.ts';

const float = fc.float({ noNaN: true, noDefaultInfinity: true });
const vector = fc.array(float, { maxLength: 700 }).map((list) => Float32Array.from(list));
/** Some of them beyond the end of most vectors. */
const parts = fc
  .array(fc.tuple(fc.nat({ max: 200 }), fc.integer({ min: 1, max: 200 })), { maxLength: 4 })
  .map((lengths) => {
    let end = 0;
    return lengths.map(([gap, size]): VectorPart => {
      const offset = end + gap;
      end = offset + size;
      return { offset, size };
    });
  });

test.each<{ codec: CodecName; share?: number }>([
  { codec: 'bfloat16' },
  { codec: 'float16' },
  { codec: 'int8' },
  { codec: 'top-k', share: 0.25 },
])('$codec: parts come back as they were, the others as if there were no parts', (spec) => {
  fc.assert(
    fc.property(vector, parts, (values, exact) => {
      const isExact = (i: number): boolean =>
        exact.some(({ offset, size }) => i >= offset && i < offset + size);
      const [plain, keeping] = [codecOf(spec), codecOf(spec, exact)];
      const decoded = keeping.decode(keeping.encode(values), values.length);
      const others = values.filter((_, i) => !isExact(i));
      expect(decoded.filter((_, i) => isExact(i))).toEqual(values.filter((_, i) => isExact(i)));
      const coded = plain.decode(plain.encode(others), others.length);
      expect(decoded.filter((_, i) => !isExact(i))).toEqual(coded);
    }),
    { seed: 1, numRuns: 300 },
  );
});

test('parts come first, as float32, then the code of the others without a gap', () => {
  const codec = codecOf({ codec: 'int8' }, [
    { offset: 1, size: 1 },
    { offset: 3, size: 2 },
  ]);
  const [exact, others] = [Float32Array.of(1e5, -0, 0.1), Float32Array.of(1, 2)];
  const bytes = codec.encode(Float32Array.of(1, 1e5, 2, -0, 0.1));
  expect(bytes).toEqual(
    new Uint8Array([...new Uint8Array(exact.buffer), ...vectorCodecs.int8.encode(others)]),
  );
});

test('without parts, and without loss, a codec is what it was', () => {
  for (const codec of Object.values(vectorCodecs)) expect(codecOf({ codec: codec.name }, [])).toBe(codec);
  expect(codecOf({ codec: 'float32' }, [{ offset: 0, size: 1 }])).toBe(vectorCodecs.float32);
});
