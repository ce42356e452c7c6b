import { expect, test } from 'vitest';
import { showValue } from './index.ts';

test('a value is shown as JSON and cut', () => {
  expect(showValue({ a: [1, 'b'] })).toBe('{"a":[1,"b"]}');
  expect(showValue('x'.repeat(100), 10)).toBe('"xxxxxxxxx');
  expect(showValue(undefined)).toBe('nothing');
});

test('what JSON cannot write is no reason to fail', () => {
  const deep: unknown = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`);
  expect(showValue(deep)).toBe('a list that cannot be shown');
  expect(showValue({ deep })).toBe('a value of type object that cannot be shown');
  expect(showValue(1n)).toBe('a value of type bigint that cannot be shown');
});
