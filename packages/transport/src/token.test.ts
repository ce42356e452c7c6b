import { expect, test } from 'vitest';
import { createToken, observerToken, parseJoinSecret } from './index.ts';

test('tokens differ and need no escaping', () => {
  const tokens = Array.from({ length: 100 }, createToken);
  expect(new Set(tokens).size).toBe(100);
  for (const token of tokens) expect(token).toMatch(/^[\w-]{24}$/);
});

test("the observer's token follows from the join token, and is another one", () => {
  expect(observerToken('abc')).toMatch(/^[\w-]{24}$/);
  expect(observerToken('abc')).toBe(observerToken('abc'));
  expect(observerToken('abd')).not.toBe(observerToken('abc'));
});

const fingerprint = '0123456789abcdef'.repeat(4);

test.each<[string, { token: string; fingerprint: string | undefined } | undefined]>([
  ['abc', { token: 'abc', fingerprint: undefined }],
  [`abc,${fingerprint}`, { token: 'abc', fingerprint }],
  ['', undefined],
  ['abc,', undefined],
  [`,${fingerprint}`, undefined],
  [`abc,${fingerprint.slice(1)}`, undefined],
  [`abc,${fingerprint.toUpperCase()}`, undefined],
  [`abc,${fingerprint},x`, undefined],
  ['a b', undefined],
])('parseJoinSecret(%o)', (text, expected) => {
  expect(parseJoinSecret(text)).toEqual(expected);
});
