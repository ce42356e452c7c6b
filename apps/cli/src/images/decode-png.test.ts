import { encode } from 'fast-png';
import { expect, test } from 'vitest';
import { decodePng } from './decode-png.ts';

const bytesOf = ({ values }: { values: Float32Array }): number[] =>
  Array.from(values, (value) => Math.round(value * 255));

test.each([
  ['grey, 8 bits', { channels: 1, depth: 8, data: Uint8Array.of(0, 100, 200, 255) }],
  ['grey, 16 bits', { channels: 1, depth: 16, data: Uint16Array.of(0, 25_700, 51_400, 65_535) }],
  ['grey with alpha', { channels: 2, depth: 8, data: Uint8Array.of(0, 255, 100, 255, 200, 255, 255, 255) }],
  [
    'colour',
    { channels: 3, depth: 8, data: Uint8Array.of(0, 0, 0, 100, 100, 100, 200, 200, 200, 255, 255, 255) },
  ],
  [
    'colour with alpha, 16 bits',
    {
      channels: 4,
      depth: 16,
      data: Uint16Array.from(
        [0, 100, 200, 255].flatMap((grey) => [grey * 257, grey * 257, grey * 257, 65_535]),
      ),
    },
  ],
] as const)('the same greys come out of every form: %s', (_, image) => {
  const picture = decodePng(encode({ width: 2, height: 2, ...image }));
  expect(picture).toMatchObject({ width: 2, height: 2 });
  expect(bytesOf(picture)).toEqual([0, 100, 200, 255]);
});

test.each([1, 2, 4] as const)('samples of %i bits are unpacked, each row from a new byte', (depth) => {
  const most = 2 ** depth - 1;
  // Three pixels a row: dark, light, dark; then light, dark, light.
  const row = (samples: number[]): number =>
    (samples.reduce((byte, sample) => (byte << depth) | sample, 0) << (16 - 3 * depth)) & 0xffff;
  const rows = [row([0, most, 0]), row([most, 0, most])];
  const data = Uint8Array.from(
    rows.flatMap((bits) => (depth === 4 ? [bits >> 8, bits & 0xff] : [bits >> 8])),
  );
  const picture = decodePng(encode({ width: 3, height: 2, channels: 1, depth, data }));
  expect(bytesOf(picture)).toEqual([0, 255, 0, 255, 0, 255]);
});

test('colours of a palette are looked up', () => {
  const palette = [
    [255, 0, 0],
    [255, 255, 255],
  ];
  const picture = decodePng(
    encode({ width: 2, height: 1, channels: 1, depth: 8, data: Uint8Array.of(1, 0), palette }),
  );
  expect(bytesOf(picture)).toEqual([255, Math.round(0.299 * 255)]);
});

/** One opaque pixel of a grey between transparent ones. */
const drawing = (grey: number): Uint8Array => Uint8Array.of(0, 0, 0, 0, grey, 255, 0, 0);

const decodeDrawing = (grey: number): number[] =>
  bytesOf(decodePng(encode({ width: 4, height: 1, channels: 2, depth: 8, data: drawing(grey) })));

test('transparent parts are white under a dark drawing and black under a light one on nothing', () => {
  expect(decodeDrawing(10)).toEqual([255, 255, 10, 255]);
  expect(decodeDrawing(250)).toEqual([0, 0, 250, 0]);
});

test('damaged and impossible files are refused', () => {
  const png = encode({ width: 8, height: 8, channels: 1, depth: 8, data: new Uint8Array(64).fill(7) });
  expect(() => decodePng(new Uint8Array(100))).toThrow('not a PNG');
  expect(() => decodePng(png.slice(0, 20))).toThrow('not a PNG');
  for (let length = 33; length < png.length; length += 1)
    expect(() => decodePng(png.slice(0, length))).toThrow();
  const flipped = png.slice();
  flipped.set([(png[45] ?? 0) ^ 0x10], 45);
  expect(() => decodePng(flipped)).toThrow();
  const huge = png.slice();
  new DataView(huge.buffer).setUint32(16, 0x7fff_ffff);
  expect(() => decodePng(huge)).toThrow('2147483647 x 8');
});

test('an interlaced picture below 8 bits is refused, not read wrongly', () => {
  const png = encode({ width: 8, height: 1, channels: 1, depth: 1, data: Uint8Array.of(0xaa) });
  png[28] = 1;
  expect(() => decodePng(png)).toThrow('interlac');
});
