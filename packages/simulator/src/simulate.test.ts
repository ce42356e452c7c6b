import { expect, test } from 'vitest';
import { faultKinds, simulate } from './index.ts';

test('no promise is broken, every kind of fault strikes, and a seed leads to the same trace again', () => {
  const struck = new Map<string, number>();
  const hashes = new Set<string>();
  for (let seed = 0; seed < 1_000; seed++) {
    const { broken, faults, hash } = simulate(seed);
    expect(broken, `seed ${seed}`).toBeUndefined();
    for (const [kind, times] of Object.entries(faults)) struck.set(kind, (struck.get(kind) ?? 0) + times);
    if (seed % 4 === 0) expect(simulate(seed).hash, `seed ${seed}`).toBe(hash);
    hashes.add(hash);
  }
  for (const kind of Object.keys(faultKinds)) expect(struck.get(kind), kind).toBeGreaterThan(0);
  // A hash that took nothing in would always be the same.
  expect(hashes.size).toBe(1_000);
});
