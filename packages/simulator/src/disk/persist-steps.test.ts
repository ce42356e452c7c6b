import { expect, test } from 'vitest';
import { simulate, type SimulationResult } from '../simulate.ts';

/** Nothing fails but the power, before the named disk operations. */
function cut(seed: number, cutAt: readonly number[]): SimulationResult {
  return simulate(seed, { adapt: (scenario) => ({ ...scenario, faults: [], snapshotShare: 1, cutAt }) });
}

test('scenario 2: the power may fail before every disk operation, and again at each of the next ones, while it recovers', () => {
  for (const seed of [3, 8]) {
    const { diskOperations, broken } = cut(seed, []);
    expect(broken).toBeUndefined();
    expect(diskOperations).toBeGreaterThan(10);
    for (let first = 1; first <= diskOperations; first++) {
      for (let more = 0; more <= 8; more++) {
        const cutAt = more === 0 ? [first] : [first, first + more];
        const result = cut(seed, cutAt);
        expect(result.broken, `seed ${seed}, cut at ${cutAt.join(' and ')}`).toBeUndefined();
        expect(result.faults['power-cut']).toBeGreaterThan(0);
      }
    }
  }
});

test('scenario 5: a run survives power cuts at three recoveries in a row', () => {
  const { diskOperations } = cut(8, []);
  for (let first = 1; first <= diskOperations; first++) {
    const { broken, faults } = cut(8, [first, first + 2, first + 4, first + 5]);
    expect(broken, `cut at ${first}`).toBeUndefined();
    expect(faults['power-cut']).toBeGreaterThanOrEqual(3);
  }
});
