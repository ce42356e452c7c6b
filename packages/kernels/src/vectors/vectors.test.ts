import { readFile } from 'node:fs/promises';
import { plainVectors, type Span, type VectorMath } from '@gradwire/engine';
import { uniform } from '@gradwire/random';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadVectors } from './load-vectors.ts';
import { blockElements, compileVectors, createInstance } from './module.ts';
import { createWasmVectors } from './wasm-vectors.ts';

/** TypeScript has its types only among those of browsers. */
declare const WebAssembly: {
  Memory: new (limits: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  Module: (new (
    bytes: Uint8Array,
  ) => object) & { imports(module: object): { module: string; name: string }[] };
};

const binary = new Uint8Array(await readFile(new URL('../../dist/vectors.wasm', import.meta.url)));
const wasm = await loadVectors();

/** Any bits at all (subnormals, infinities, NaN, zeros of both signs among them), or numbers as they occur. */
const anyFloat = fc.oneof(
  { weight: 1, arbitrary: fc.nat({ max: 0xffffffff }).map(floatOf) },
  { weight: 1, arbitrary: fc.nat({ max: 0xffffff }).map(floatOf) },
  { weight: 1, arbitrary: fc.constantFrom(0, -0, Infinity, -Infinity, NaN, 3.4028234663852886e38, 1.4e-45) },
  { weight: 3, arbitrary: fc.float({ min: -10, max: 10, noNaN: true }) },
);

/** Lengths around what one instruction takes; longer ones are tried below. */
const vector = (length: number): fc.Arbitrary<Float32Array> =>
  fc.array(anyFloat, { minLength: length, maxLength: length }).map((values) => Float32Array.from(values));

/** Three vectors of one length, and a span in them. */
const scene = fc.nat({ max: 40 }).chain((length) =>
  fc.record({
    a: vector(length),
    b: vector(length),
    c: vector(length),
    span: fc
      .tuple(fc.nat({ max: length }), fc.nat({ max: length }))
      .map(([x, y]) => ({ start: Math.min(x, y), end: Math.max(x, y) })),
  }),
);
type Scene = typeof scene extends fc.Arbitrary<infer Value> ? Value : never;

const coefficient = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const positive = fc.double({ min: 1e-12, max: 1e3, noNaN: true });

function floatOf(bits: number): number {
  return new Float32Array(Uint32Array.of(bits).buffer)[0] ?? 0;
}

/** Bits, with one pattern for NaN: its payload is nobody's business. */
function bitsOf(values: Float32Array): number[] {
  const patterns = new Uint32Array(values.slice().buffer);
  return Array.from(patterns, (bits, i) => (Number.isNaN(values[i]) ? 0x7fc00000 : bits));
}

/** Runs the same on copies of the same vectors with both, and compares results and every vector afterwards. */
function expectSame(
  { a, b, c }: Pick<Scene, 'a' | 'b' | 'c'>,
  act: (vectors: VectorMath, a: Float32Array, b: Float32Array, c: Float32Array) => unknown,
): void {
  const outcomes = [plainVectors, wasm].map((vectors) => {
    const copies = [a.slice(), b.slice(), c.slice()] as const;
    const result = act(vectors, ...copies);
    return [result, ...copies.map(bitsOf)];
  });
  expect(outcomes[1]).toEqual(outcomes[0]);
}

/** Three updates, the last one over the gradient; returns what the rule says and remembers. */
function updates<Coefficients>(
  rule: {
    readonly state: Readonly<Record<string, Float32Array>>;
    update: (
      vectors: { weights: Float32Array; gradient: Float32Array; into: Float32Array },
      span: Span,
      coefficients: Coefficients,
    ) => boolean;
  },
  { weights, gradient, into }: { weights: Float32Array; gradient: Float32Array; into: Float32Array },
  { span, coefficients }: { span: Span; coefficients: Coefficients },
): unknown {
  const finite = [
    rule.update({ weights, gradient, into: weights }, span, coefficients),
    rule.update({ weights, gradient, into }, span, coefficients),
    rule.update({ weights, gradient, into: gradient }, span, coefficients),
  ];
  return [finite, Object.values(rule.state).map(bitsOf)];
}

describe('the same bits as plain TypeScript', () => {
  test('add, scale, isFinite', () => {
    fc.assert(
      fc.property(scene, fc.double({ min: -1e3, max: 1e3, noNaN: true }), (vectors, factor) => {
        expectSame(vectors, (math, a, b, c) => {
          math.add(a, b);
          math.scale(c, factor);
          return [a, b, c].map(math.isFinite);
        });
      }),
    );
  });

  test('average, with any number of samples and L2', () => {
    const samples = fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 2 ** 40 }));
    const l2 = fc.oneof(fc.constant(0), positive);
    fc.assert(
      fc.property(scene, samples, l2, (vectors, count, penalty) => {
        const options = { ...vectors.span, samples: count, l2: penalty };
        expectSame(vectors, (math, a, b) => math.average(a, b, options));
      }),
    );
  });

  test('gradient descent', () => {
    fc.assert(
      fc.property(scene, positive, (vectors, learningRate) => {
        expectSame(vectors, (math, weights, gradient, into) => [
          math.descend({ weights, gradient, into }, vectors.span, learningRate),
          math.descend({ weights, gradient, into: gradient }, vectors.span, learningRate),
        ]);
      }),
    );
  });

  test('momentum, plain and Nesterov', () => {
    const coefficients = fc.record({ learningRate: positive, momentum: coefficient, nesterov: fc.boolean() });
    fc.assert(
      fc.property(scene, coefficients, (vectors, chosen) => {
        expectSame(vectors, (math, weights, gradient, into) =>
          updates(
            math.createMomentum(weights.length),
            { weights, gradient, into },
            { span: vectors.span, coefficients: chosen },
          ),
        );
      }),
    );
  });

  test('Adam, with and without decay', () => {
    const coefficients = fc.record({
      beta1: coefficient,
      beta2: coefficient,
      epsilon: positive,
      rate: positive,
      secondScale: fc.double({ min: 1, max: 1e4, noNaN: true }),
      decay: fc.oneof(fc.constant(0), coefficient),
    });
    fc.assert(
      fc.property(scene, coefficients, (vectors, chosen) => {
        expectSame(vectors, (math, weights, gradient, into) =>
          updates(
            math.createAdam(weights.length),
            { weights, gradient, into },
            { span: vectors.span, coefficients: chosen },
          ),
        );
      }),
    );
  });

  test('checksum, of any bit patterns', () => {
    const words = fc.uint32Array({ maxLength: 70 });
    fc.assert(
      fc.property(words, ({ buffer, length }) => {
        const values = new Float32Array(buffer, 0, length);
        expect(wasm.checksum(values)).toBe(plainVectors.checksum(values));
        expect(wasm.checksum(values.subarray(1))).toBe(plainVectors.checksum(values.subarray(1)));
        expect(wasm.examine(values)).toEqual(plainVectors.examine(values));
        expect(wasm.examine(values).checksum).toBe(wasm.checksum(values));
      }),
    );
  });

  test.each([-1, 0, 1, 9])('over several blocks and %i elements', (more) => {
    const length = 2 * blockElements + more;
    const draw = (stream: number): Float32Array =>
      Float32Array.from(uniform({ seed: 5, stream: 'probe', a: stream }, length, { low: -2, high: 2 }));
    const span = { start: 3, end: length - 1 };
    const coefficients = { beta1: 0.9, beta2: 0.99, epsilon: 1e-7, rate: 0.01, secondScale: 5, decay: 0.001 };
    expectSame({ a: draw(0), b: draw(1), c: draw(2) }, (math, weights, gradient, into) => {
      const norm = math.average(gradient, weights, { ...span, samples: 7, l2: 0.1 });
      math.add(into, gradient);
      const adam = updates(math.createAdam(length), { weights, gradient, into }, { span, coefficients });
      weights[length - 1] = NaN;
      return [norm, adam, math.examine(into), math.isFinite(into), math.isFinite(weights)];
    });
  });
});

test('state for which there is no room in one memory is kept outside, in plain TypeScript', async () => {
  const compiled = await compileVectors(binary);
  expect(() => createInstance(compiled, { count: 2, length: 2 ** 29 })).toThrow(RangeError);
  const vectors = createWasmVectors(compiled);
  const { Memory } = WebAssembly;
  WebAssembly.Memory = function () {
    throw new RangeError('could not allocate memory');
  } as unknown as typeof Memory;
  try {
    for (const rule of [vectors.createAdam(3), vectors.createMomentum(3)]) {
      for (const values of Object.values<Float32Array>(rule.state)) expect(values.buffer.byteLength).toBe(12);
    }
  } finally {
    WebAssembly.Memory = Memory;
  }
});

test('bytes that are no such module are refused', async () => {
  await expect(loadVectors(binary.slice(0, 100))).rejects.toMatchObject({ code: 'BACKEND_UNAVAILABLE' });
});

test('the module imports a memory, and nothing else', () => {
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(binary));
  expect(imports.map(({ module, name }) => `${module}.${name}`)).toEqual(['env.memory']);
});
