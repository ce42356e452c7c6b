import type { Picture } from './picture.ts';
import { type Box, crop, resize } from './resize.ts';

/** A picture in the form that a network trained on MNIST expects. */
export interface DigitImage {
  /** `height * width` grey bytes: a light digit on dark ground. */
  readonly pixels: Uint8Array;
  /** The picture was dark on light, and its greys were turned round. */
  readonly inverted: boolean;
  /** The picture has one shade only: there is nothing to recognise. */
  readonly blank: boolean;
}

/** The digit's longer side is 20 of 28 pixels in MNIST. */
const digitShare = 20 / 28;
/** What is fainter than this share of the strongest ink does not count when the digit's edges are looked for. */
const faint = 0.2;

/**
 * Turns a picture into a digit image of `size`, as MNIST's were made: light on dark, the digit scaled (area
 * averaging, aspect ratio kept) so that its longer side is 20 of 28 pixels, and placed with its centre of mass in the
 * middle. A picture that has the size already is only turned to light on dark, where needed.
 *
 * The ground is the median of the picture's border: lighter than mid-grey means dark on light.
 * Source of the procedure: LeCun, Cortes, Burges, "The MNIST database of handwritten digits".
 */
export function toDigitImage(
  picture: Picture,
  size: { readonly width: number; readonly height: number },
): DigitImage {
  const ground = borderMedian(picture);
  const inverted = ground > 0.5;
  const blank = picture.values.every((value) => value === picture.values[0]);
  const light = inverted ? { ...picture, values: picture.values.map((value) => 1 - value) } : picture;
  const hasSize = picture.width === size.width && picture.height === size.height;
  const digit = hasSize ? light : center(stretch(light, inverted ? 1 - ground : ground), size);
  return { pixels: Uint8Array.from(digit.values, (value) => Math.round(value * 255)), inverted, blank };
}

function borderMedian({ width, height, values }: Picture): number {
  const border = values.filter((_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    return x === 0 || y === 0 || x === width - 1 || y === height - 1;
  });
  return border.sort()[border.length >> 1] as number;
}

/** Spreads the greys so that the ground is 0 and the strongest ink 1. */
function stretch(picture: Picture, ground: number): Picture {
  const range = picture.values.reduce((most, value) => Math.max(most, value), ground) - ground;
  return {
    ...picture,
    values: picture.values.map((value) => (range > 0 ? Math.max(0, value - ground) / range : 0)),
  };
}

function center(picture: Picture, { width, height }: { width: number; height: number }): Picture {
  const out = new Float32Array(width * height);
  const box = inkBox(picture);
  if (box === undefined) return { width, height, values: out };
  const scale = Math.min((width * digitShare) / box.width, (height * digitShare) / box.height);
  const small = resize(crop(picture, box), {
    width: Math.max(1, Math.round(box.width * scale)),
    height: Math.max(1, Math.round(box.height * scale)),
  });
  // Averaging makes thin strokes faint; MNIST's reach full white.
  const digit = stretch(small, 0);
  const mass = centerOfMass(digit);
  const left = place(width / 2 - mass.x, width - digit.width);
  const top = place(height / 2 - mass.y, height - digit.height);
  for (let y = 0; y < digit.height; y += 1) {
    out.set(digit.values.subarray(y * digit.width, (y + 1) * digit.width), (top + y) * width + left);
  }
  return { width, height, values: out };
}

function place(wanted: number, most: number): number {
  return Math.min(most, Math.max(0, Math.round(wanted)));
}

/** The smallest box around everything that is not faint. */
function inkBox({ width, values }: Picture): Box | undefined {
  let [left, right, top, bottom] = [Number.POSITIVE_INFINITY, -1, -1, -1];
  for (const [i, value] of values.entries()) {
    if (value < faint) continue;
    const [x, y] = [i % width, Math.floor(i / width)];
    if (top < 0) top = y;
    bottom = y;
    left = Math.min(left, x);
    right = Math.max(right, x);
  }
  return bottom < 0 ? undefined : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** In pixels from the top left corner; the middle of the first pixel is at 0.5. */
function centerOfMass({ width, values }: Picture): { x: number; y: number } {
  let [mass, x, y] = [0, 0, 0];
  for (const [i, value] of values.entries()) {
    mass += value;
    x += value * ((i % width) + 0.5);
    y += value * (Math.floor(i / width) + 0.5);
  }
  return { x: x / mass, y: y / mass };
}
