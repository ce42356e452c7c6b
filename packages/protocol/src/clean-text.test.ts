import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { cleanText, isCleanText } from './clean-text.ts';

test('cleaned text is clean and short enough, whatever it was', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 80 }),
      fc.integer({ min: 1, max: 60 }),
      (text, maxLength) => {
        const clean = cleanText(text, maxLength);
        expect(isCleanText(clean)).toBe(true);
        expect(clean.length).toBeLessThanOrEqual(maxLength);
      },
    ),
    { seed: 4, numRuns: 2_000 },
  );
});

test('ordinary text stays as it is', () => {
  const text = 'Zeile 1\n\tZeile 2: 漢字 🙂';
  expect(cleanText(text, 100)).toBe(text);
});

test('a cut does not leave half a character', () => {
  expect(cleanText('a🙂🙂', 3)).toBe('a…');
  expect(cleanText('\ud83d', 3)).toBe('\ufffd');
});

test('isCleanText finds what a terminal would obey', () => {
  for (const bad of ['\u001b[2J', '\r', '\u0000', '\u009b31m', '\u007f', '\udc00', '\u202e', '\u2066']) {
    expect(isCleanText(`a${bad}b`)).toBe(false);
  }
});
