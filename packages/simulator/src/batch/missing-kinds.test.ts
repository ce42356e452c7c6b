import { expect, test } from 'vitest';
import { createTally, type FaultKind } from '../faults/fault-kinds.ts';
import { missingKinds } from './missing-kinds.ts';
import type { SeedsReport } from './run-seeds.ts';

/** Of seeds in which only these kinds did not strike. */
function reportWithout(kinds: readonly FaultKind[], seeds: number): SeedsReport {
  const all = Object.keys(createTally()).map((kind) => [kind, kinds.includes(kind as FaultKind) ? 0 : 1]);
  const faults = Object.fromEntries(all) as SeedsReport['faults'];
  return { seeds, faults, length: 0, virtualMs: 0, broken: [], hash: '' };
}

test('a kind that never struck is missing where there were seeds enough', () => {
  const kinds: FaultKind[] = ['zombie', 'lie-late'];
  expect(missingKinds(reportWithout(kinds, 1_000))).toEqual(kinds);
  expect(missingKinds(reportWithout(kinds, 999))).toEqual([]);
  const size = { workers: 5, steps: 5 };
  expect(missingKinds(reportWithout(kinds, 10_000), size)).toEqual(kinds);
  expect(missingKinds(reportWithout(kinds, 9_999), size)).toEqual([]);
});

test('a kind that runs of this size cannot have is not missing', () => {
  const report = reportWithout(['kill', 'catch-up', 'lie-bit', 'lie-pair'], 10_000);
  expect(missingKinds(report, { workers: 2, steps: 2 })).toEqual(['kill']);
  expect(missingKinds(report, { workers: 4, steps: 3 })).toEqual(['kill', 'catch-up', 'lie-bit']);
  expect(missingKinds(report, { workers: 5, steps: 2 })).toEqual(['kill', 'lie-bit', 'lie-pair']);
});
