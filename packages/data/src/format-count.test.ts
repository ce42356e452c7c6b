import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatCount } from './format-count.ts';

test('counts are written as Intl writes them', () => {
  const english = new Intl.NumberFormat('en-US');
  const counts = fc.oneof(fc.integer(), fc.nat(9999), fc.double({ min: 0.5 }));
  fc.assert(
    fc.property(counts, (count) => {
      expect(formatCount(count)).toBe(english.format(count));
    }),
    { seed: 1 },
  );
});
