import { expect, test } from 'vitest';
import { type CutChoice, createCutChoice } from './cut-choice.ts';
import type { Cut } from './lease-pieces.ts';

/** How many of the next 160 leases are tapered, if each way takes so long. */
function countTapered(choice: CutChoice, times: Record<Cut, number>): number {
  const cuts = Array.from({ length: 160 }, () => {
    const cut = choice.next();
    choice.record(cut, times[cut]);
    return cut;
  });
  return cuts.filter((cut) => cut === 'tapered').length;
}

test('the faster cut is used, the other one is tried now and then', () => {
  expect(countTapered(createCutChoice(), { even: 1, tapered: 1.1 })).toBe(10);
  expect(countTapered(createCutChoice(), { even: 1, tapered: 0.9 })).toBe(136);
});

test('a machine that changes is followed', () => {
  const choice = createCutChoice();
  countTapered(choice, { even: 1, tapered: 1.1 });
  countTapered(choice, { even: 2, tapered: 1.1 });
  expect(countTapered(choice, { even: 2, tapered: 1.1 })).toBe(150);
});
