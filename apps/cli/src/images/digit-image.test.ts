import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { toDigitImage } from './digit-image.ts';
import type { Picture } from './picture.ts';

const size = { width: 28, height: 28 };

/** A picture of `ground` with a filled rectangle of `ink`. */
function drawing(options: {
  width: number;
  height: number;
  box: number[];
  ground?: number;
  ink?: number;
}): Picture {
  const { width, height, box, ground = 0, ink = 1 } = options;
  const [left = 0, top = 0, boxWidth = 0, boxHeight = 0] = box;
  const values = Float32Array.from({ length: width * height }, (_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    return x >= left && x < left + boxWidth && y >= top && y < top + boxHeight ? ink : ground;
  });
  return { width, height, values };
}

/** First and last row and column that are not black. */
function extent(pixels: Uint8Array): { left: number; right: number; top: number; bottom: number } {
  const lit = Array.from(pixels.keys()).filter((i) => (pixels[i] ?? 0) > 0);
  const [xs, ys] = [lit.map((i) => i % 28), lit.map((i) => Math.floor(i / 28))];
  return { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
}

test('a picture of 28 x 28 keeps every byte', () => {
  const bytes = Uint8Array.from({ length: 784 }, (_, i) => (i % 28 === 0 ? 0 : (i * 37) % 256));
  const values = Float32Array.from(bytes, (byte) => byte / 255);
  const { pixels, inverted } = toDigitImage({ ...size, values }, size);
  expect(inverted).toBe(false);
  expect(pixels).toEqual(bytes);
});

test('dark on light is turned round, light on dark is not', () => {
  const light = drawing({ ...size, box: [10, 8, 6, 12] });
  const dark = { ...light, values: light.values.map((value) => 1 - value) };
  expect(toDigitImage(dark, size)).toEqual({ ...toDigitImage(light, size), inverted: true });
  expect(toDigitImage(light, size).inverted).toBe(false);
});

test('the longer side becomes 20 pixels, the shape is kept, and it lies in the middle', () => {
  const { pixels } = toDigitImage(drawing({ width: 300, height: 200, box: [200, 20, 50, 100] }), size);
  expect(extent(pixels)).toEqual({ left: 9, right: 18, top: 4, bottom: 23 });
  expect(pixels.filter((value) => value === 255)).toHaveLength(200);
});

test('the centre of mass lies in the middle as far as the picture allows', () => {
  // A heavy foot: the mass is low, so the digit moves up.
  const stem = drawing({ width: 100, height: 100, box: [45, 10, 10, 80] });
  const foot = drawing({ width: 100, height: 100, box: [20, 70, 60, 20] });
  const values = stem.values.map((value, i) => Math.max(value, foot.values[i] ?? 0));
  const { pixels } = toDigitImage({ width: 100, height: 100, values }, size);
  expect(extent(pixels).top).toBeLessThan(3);
  const mass = pixels.reduce((sum, value) => sum + value, 0);
  const y = pixels.reduce((sum, value, i) => sum + value * (Math.floor(i / 28) + 0.5), 0) / mass;
  expect(Math.abs(y - 14)).toBeLessThanOrEqual(0.5);
});

test('weak contrast on grey paper gives a full digit', () => {
  const { pixels, inverted } = toDigitImage(
    drawing({ width: 60, height: 60, box: [25, 15, 10, 30], ground: 0.8, ink: 0.5 }),
    size,
  );
  expect(inverted).toBe(true);
  expect(pixels[0]).toBe(0);
  expect(Math.max(...pixels)).toBe(255);
});

test('a picture of one shade is called blank', () => {
  expect(toDigitImage(drawing({ width: 9, height: 5, box: [], ground: 1 }), size)).toMatchObject({
    blank: true,
    pixels: new Uint8Array(784),
  });
});

test('any picture gives 28 x 28 bytes', () => {
  const pictures = fc
    .record({
      width: fc.integer({ min: 1, max: 70 }),
      height: fc.integer({ min: 1, max: 70 }),
      seed: fc.nat(),
    })
    .map(({ width, height, seed }) => ({
      width,
      height,
      values: Float32Array.from({ length: width * height }, (_, i) => ((i * 7919 + seed) % 101) / 100),
    }));
  fc.assert(fc.property(pictures, (picture) => toDigitImage(picture, size).pixels.length === 784));
});
