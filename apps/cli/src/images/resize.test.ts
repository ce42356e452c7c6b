import { expect, test } from 'vitest';
import { crop, resize } from './resize.ts';

const picture = { width: 3, height: 2, values: Float32Array.of(1, 2, 3, 4, 5, 6) };

test('crop cuts out rows and columns', () => {
  expect(crop(picture, { left: 1, top: 0, width: 2, height: 2 })).toEqual({
    width: 2,
    height: 2,
    values: Float32Array.of(2, 3, 5, 6),
  });
});

test('the same size changes nothing', () => {
  expect(resize(picture, { width: 3, height: 2 })).toEqual(picture);
});

test('each new pixel is the mean of the area that it covers', () => {
  expect(resize(picture, { width: 1, height: 1 }).values[0]).toBeCloseTo(3.5);
  // A half and a whole pixel: (1 + 2 / 2) / 1.5 and (2 / 2 + 3) / 1.5.
  const { width, height, values } = resize(picture, { width: 2, height: 2 });
  expect([width, height]).toEqual([2, 2]);
  expect(values[0]).toBeCloseTo(4 / 3);
  expect(values[1]).toBeCloseTo(8 / 3);
});

test('enlarging repeats pixels', () => {
  const { values } = resize({ width: 2, height: 1, values: Float32Array.of(0, 1) }, { width: 4, height: 2 });
  expect([...values]).toEqual([0, 0, 1, 1, 0, 0, 1, 1]);
});
