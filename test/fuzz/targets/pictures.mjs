import { writeFile } from 'node:fs/promises';
import { crc32, deflateSync } from 'node:zlib';
import * as fc from 'fast-check';
import { load } from '../load.mjs';
import { byteChanges, changeBytes, joinBytes } from '../mutate.mjs';

const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const channels = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

const often = (usual, ...others) =>
  fc.oneof({ weight: 8, arbitrary: usual }, { weight: 1, arbitrary: fc.constantFrom(...others) });

/** PNG files for `predict`: every colour type and depth, chunks changed with their sums put right, and pixels that are not there. */
export async function createTarget() {
  const { readPicture } = await load('apps/cli/dist/images/read-picture.js');
  const { toDigitImage } = await load('apps/cli/dist/images/digit-image.js');
  const side = fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: 1, max: 40 }) },
    { weight: 1, arbitrary: fc.constantFrom(0, 1, 300, 10_000, 65_535, 2 ** 31, 2 ** 32 - 1) },
  );
  const header = fc.record({
    width: side,
    height: side,
    depth: often(fc.constantFrom(8, 8, 16, 1, 2, 4), 0, 3, 255),
    color: often(fc.constantFrom(0, 2, 3, 4, 6), 1, 5, 7),
    compression: often(fc.constant(0), 1),
    filter: often(fc.constant(0), 1, 64),
    interlace: often(fc.constantFrom(0, 0, 1), 2),
  });
  const extra = fc.record({
    type: fc.constantFrom(
      'PLTE',
      'tRNS',
      'iCCP',
      'tEXt',
      'pHYs',
      'gAMA',
      'IHDR',
      'IEND',
      'IDAT',
      'zTXt',
      'acTL',
      'fcTL',
    ),
    data: fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.constantFrom(profile(1_000), profile(2 ** 22), new Uint8Array(768)),
    ),
    isFirst: fc.boolean(),
  });
  const raw = fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    fc.constant(new Uint8Array(0)),
    fc.nat({ max: 2 ** 22 }).map((n) => new Uint8Array(n)),
  );
  const pixels = fc.oneof({ weight: 6, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: raw });
  const cut = fc.oneof({ weight: 7, arbitrary: fc.constant([]) }, { weight: 3, arbitrary: byteChanges });
  return {
    inputs: fc.record({
      header,
      extras: fc.array(extra, { maxLength: 2 }),
      pixels,
      cut,
      fill: fc.nat({ max: 255 }),
    }),
    codes: ['DATA_CORRUPT'],
    async run(input) {
      await writeFile('picture.png', input.cut.reduce(changeBytes, encode(input)));
      toDigitImage(await readPicture('picture.png'), { width: 28, height: 28 });
    },
  };
}

function encode({ header, extras, pixels, fill }) {
  const { width, height, depth, color, compression, filter, interlace } = header;
  const ihdr = new Uint8Array(13);
  const view = new DataView(ihdr.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  ihdr.set([depth, color, compression, filter, interlace], 8);
  const palette = color === 3 ? [chunk('PLTE', new Uint8Array(768).fill(fill))] : [];
  const before = extras.filter(({ isFirst }) => isFirst).map(({ type, data }) => chunk(type, data));
  const after = extras.filter(({ isFirst }) => !isFirst).map(({ type, data }) => chunk(type, data));
  const idat = chunk('IDAT', deflateSync(pixels ?? scanlines(header, fill)));
  return joinBytes(
    signature,
    chunk('IHDR', ihdr),
    ...palette,
    ...before,
    idat,
    ...after,
    chunk('IEND', new Uint8Array(0)),
  );
}

/** As many bytes as the header asks for, if that is few. */
function scanlines({ width, height, depth, color, interlace }, fill) {
  const bytes = height * (1 + Math.ceil((width * (channels[color] ?? 1) * depth) / 8)) * (interlace ? 2 : 1);
  return new Uint8Array(bytes <= 2 ** 16 ? bytes : 100).fill(fill % 5);
}

function profile(length) {
  return joinBytes(Buffer.from('icc\0\0'), deflateSync(new Uint8Array(length)));
}

function chunk(type, data) {
  const body = joinBytes(Buffer.from(type), data);
  const ends = new Uint8Array(8);
  new DataView(ends.buffer).setUint32(0, data.length);
  new DataView(ends.buffer).setUint32(4, sum(body));
  return joinBytes(ends.subarray(0, 4), body, ends.subarray(4));
}

function sum(bytes) {
  return crc32(bytes) >>> 0;
}
