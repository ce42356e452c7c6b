import { type SimulationOptions, simulate } from '@gradwire/simulator';
import { expect, test } from 'vitest';
import { brokenEngines } from './broken-engines.ts';
import { brokenPersistences } from './broken-persistence.ts';

/** The first seed that catches it; each seed is simulated twice, as in a batch. */
function caughtAt(options: SimulationOptions): number | undefined {
  for (let seed = 0; seed < 3_000; seed++) {
    const { broken, hash } = simulate(seed, options);
    if (broken || simulate(seed, options).hash !== hash) return seed;
  }
  return undefined;
}

test.each(Object.entries(brokenEngines))('an engine is caught that %s', (_, makeEngine) => {
  expect(caughtAt({ makeEngine })).toBeDefined();
});

test.each(Object.entries(brokenPersistences))('a coordinator is caught that %s', (_, persistence) => {
  expect(caughtAt({ persistence })).toBeDefined();
});

test('only the promise of progress catches an engine that does not help who is late while faults strike', () => {
  const makeEngine = brokenEngines['is a thousand times too patient']!;
  const seed = caughtAt({ makeEngine });
  expect(seed).toBeDefined();
  expect(simulate(seed!, { makeEngine }).broken?.promise).toBe('progress');
});

test('the promise about who was convicted catches an engine that uses what they said elsewhere', () => {
  const makeEngine = brokenEngines['uses in the same round what whoever it has put out said']!;
  const seed = caughtAt({ makeEngine });
  expect(seed).toBeDefined();
  expect(simulate(seed!, { makeEngine }).broken?.promise).toBe('convicted out');
});

test('the real one is not caught', { timeout: 300_000 }, () => {
  expect(caughtAt({ adapt: (scenario) => ({ ...scenario, calmAtMs: 500 }) })).toBeUndefined();
});
