import { expect, test } from 'vitest';
import type { Window } from './crop.ts';
import { usedSide } from './crop.ts';

const choices: Window[] = (['valid', 'same'] as const).flatMap((padding) =>
  [1, 2, 3].flatMap((size) =>
    [1, 2, 3].map((strides): Window => ({ size: [size, 9], strides: [strides, 9], padding })),
  ),
);
const networks = choices.flatMap((first) => choices.map((second) => [first, second]));

/** The positions of the input that any output of the last window sees. */
function seen(side: number, windows: readonly Window[]): Set<number> {
  const [first, ...later] = windows;
  if (first === undefined) return new Set(Array.from({ length: side }, (_, i) => i));
  const [size, stride] = [first.size[0], first.strides[0]];
  const isSame = first.padding === 'same';
  const outputs = isSame ? Math.ceil(side / stride) : Math.floor((side - size) / stride) + 1;
  const before = isSame ? Math.floor(Math.max((outputs - 1) * stride + size - side, 0) / 2) : 0;
  const inputs = [...seen(Math.max(outputs, 0), later)].flatMap((output) =>
    Array.from({ length: size }, (_, k) => output * stride - before + k),
  );
  return new Set(inputs.filter((input) => input >= 0 && input < side));
}

test.each(Array.from({ length: 14 }, (_, i) => i + 1))(
  '%i rows: what is kept has all that outputs depend on, and without padding nothing more',
  (side) => {
    for (const windows of [[], ...networks]) {
      const needed = seen(side, windows);
      if (needed.size === 0) continue;
      const used = usedSide(side, windows, 0);
      const last = Math.max(...needed);
      const isPadded = windows.some(({ padding }) => padding === 'same');
      // Padding lies around the whole input, so that nothing may be cut off before it.
      expect(used).toBeGreaterThan(last);
      expect(used).toBeLessThanOrEqual(side);
      if (!isPadded) expect(used).toBe(last + 1);
      if (windows[0]?.padding === 'same') expect(used).toBe(side);
    }
  },
);

test('the article’s network reads 26 of 28 rows', () => {
  const [conv, pool]: Window[] = [
    { size: [3, 3], strides: [1, 1], padding: 'valid' },
    { size: [2, 2], strides: [2, 2], padding: 'valid' },
  ];
  const windows = [conv, pool, conv, pool] as Window[];
  expect(usedSide(28, windows, 0)).toBe(26);
  expect(usedSide(28, [{ ...(conv as Window), padding: 'same' }, ...windows.slice(1)], 1)).toBe(28);
});
