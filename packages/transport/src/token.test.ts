import { expect, test } from 'vitest';
import { checkToken, createToken } from './index.ts';
import { checkUpgradeToken } from './token.ts';

test('tokens differ and need no escaping', () => {
  const tokens = Array.from({ length: 100 }, createToken);
  expect(new Set(tokens).size).toBe(100);
  for (const token of tokens) expect(token).toMatch(/^[\w-]{24}$/);
});

test.each<[string | undefined, boolean]>([
  ['Bearer abc', true],
  ['bearer  abc', true],
  ['Bearer abcd', false],
  ['Bearer ab', false],
  ['Bearer ABC', false],
  ['Bearer abc abc', false],
  ['Bearer ', false],
  ['Bearer', false],
  ['Basic abc', false],
  ['abc', false],
  ['', false],
  [undefined, false],
])('checkToken(%o)', (header, expected) => {
  expect(checkToken(header, 'abc')).toBe(expected);
});

test('an upgrade may carry the token as a subprotocol, but a header counts more', () => {
  const protocols = { 'sec-websocket-protocol': 'gradwire, gradwire.token.abc' };
  expect(checkUpgradeToken(protocols, 'abc')).toBe(true);
  expect(checkUpgradeToken(protocols, 'abcd')).toBe(false);
  expect(checkUpgradeToken({ ...protocols, authorization: 'Bearer x' }, 'abc')).toBe(false);
  expect(checkUpgradeToken({}, 'abc')).toBe(false);
});

test('an empty token lets nobody in', () => {
  expect(() => checkToken('Bearer ', '')).toThrow(RangeError);
  expect(() => checkUpgradeToken({}, '')).toThrow(RangeError);
});
