import { expect, test } from 'vitest';
import { philox4x32 } from './index.ts';

type Vector = [
  counter: [number, number, number, number],
  key: [number, number],
  words: [number, number, number, number],
];

// The `philox4x32 10` lines of Random123's file of known answers, tests/kat_vectors.
const knownAnswers: Vector[] = [
  [
    [0, 0, 0, 0],
    [0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  ],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
];

test.each(knownAnswers)('philox4x32(%j, %j) gives the published words', (counter, key, words) => {
  expect([...philox4x32(counter, key)]).toEqual(words);
});

test('the arguments stay as they are', () => {
  const counter: [number, number, number, number] = [1, 2, 3, 4];
  philox4x32(counter, [5, 6]);
  expect(counter).toEqual([1, 2, 3, 4]);
});
