import { expect, test } from 'vitest';
import type { WorkerId } from '../events.ts';
import { createTrustLedger } from './trust.ts';

const [x, y, honest] = ['x', 'y', 'honest'] as WorkerId[] as [WorkerId, WorkerId, WorkerId];

test('who was found wrong before does not vouch for who is found wrong now', () => {
  const trust = createTrustLedger();
  const [first, second] = [
    { step: 1, lo: 0, hi: 1 },
    { step: 2, lo: 0, hi: 1 },
  ];
  trust.note(x, first, [honest]);
  trust.note(x, second, [y]);
  expect(trust.unverified(x, [x])).toEqual([]);
  trust.unverified(y, [y]);
  expect(trust.unverified(x, [x])).toEqual([second]);
});
