import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson } from './canonical-json.ts';

test('keys are sorted, undefined keys left out, -0 written as 0', () => {
  expect(canonicalJson({ b: 1, a: [true, null, 'é\n'], B: undefined, 10: -0, 9: 1e21 })).toBe(
    '{"10":0,"9":1e+21,"a":[true,null,"é\\n"],"b":1}',
  );
});

test('any JSON value reads back, and its spelling does not depend on the order of keys', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      const text = canonicalJson(value);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(canonicalJson(reversed(JSON.parse(text)))).toBe(text);
    }),
    { seed: 1 },
  );
});

test.each([
  ['a function', () => 1],
  ['NaN', { a: [Number.NaN] }],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['a symbol', Symbol('x')],
  ['a bigint', 1n],
  ['undefined in an array', [undefined]],
  ['a hole in an array', Object.assign([], { length: 1 })],
  ['a date', new Date(0)],
  ['a typed array', new Uint8Array(1)],
])('%s is refused', (_, value) => {
  expect(() => canonicalJson(value)).toThrow(TypeError);
});

test('a cycle is refused', () => {
  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  expect(() => canonicalJson(cycle)).toThrow(/nested deeper/);
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, item]) => [key, reversed(item)]),
  );
}
