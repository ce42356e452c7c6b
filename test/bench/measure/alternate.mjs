import { median } from './statistics.mjs';

/** Thrown by a contestant or section that cannot run here; the message says why. */
export class Skipped extends Error {}

/**
 * Measures contestants in turn, round after round, so that whatever else the machine does meets all alike.
 * Each is `{ name, measure(), …facts }`; the result is the facts with `samples` and `median`, or with `skipped`.
 */
export async function alternate(contestants, { rounds, say }) {
  const results = contestants.map((contestant) => ({ ...contestant, measure: undefined, samples: [] }));
  for (let round = 1; round <= rounds; round++) {
    for (const [i, { name, measure }] of contestants.entries()) {
      if (results[i].skipped) continue;
      try {
        results[i].samples.push(await measure());
        say(`round ${round} of ${rounds}: ${name}: ${Number(results[i].samples.at(-1).toPrecision(4))}`);
      } catch (error) {
        if (!(error instanceof Skipped)) throw error;
        results[i].skipped = error.message;
        say(`${name} is left out: ${error.message}`);
      }
    }
  }
  return results.map((result) => ({ ...result, median: median(result.samples) }));
}
