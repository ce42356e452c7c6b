import { type DecodedPng, decode } from 'fast-png';
import type { Picture } from './picture.ts';

/** The message of the error for bytes that do not begin as a PNG does. */
export const notPng = 'not a PNG file';

const maxPixels = 100_000_000;
const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/**
 * Decodes a PNG of any colour type and bit depth to grey (Rec. 601 luma of the values as stored).
 *
 * Transparent parts become white, as most programs show them; black if the picture is mostly transparent and what is
 * visible is light: a light drawing on nothing would vanish on white.
 *
 * Throws `Error` if the bytes are no PNG, damaged, of more than 100 million pixels, or interlaced below 8 bits.
 */
export function decodePng(bytes: Uint8Array): Picture {
  checkHeader(bytes);
  const png = decode(bytes, { checkCrc: true });
  const { width, height } = png;
  const grey = new Float32Array(width * height);
  const alpha = new Float32Array(width * height);
  const colorOf = colorReader(png);
  for (let pixel = 0; pixel < grey.length; pixel += 1) {
    const [red, green, blue, opacity] = colorOf(pixel);
    grey[pixel] = 0.299 * red + 0.587 * green + 0.114 * blue;
    alpha[pixel] = opacity;
  }
  return { width, height, values: flatten(grey, alpha) };
}

/** Looks at the header before the decoder believes it and makes room for the pixels. */
function checkHeader(bytes: Uint8Array): void {
  if (bytes.length < 33 || signature.some((byte, i) => bytes[i] !== byte)) throw new Error(notPng);
  const header = new DataView(bytes.buffer, bytes.byteOffset + 16, 13);
  const [width, height] = [header.getUint32(0), header.getUint32(4)];
  if (width === 0 || height === 0 || width * height > maxPixels) {
    throw new Error(`expected 1 to ${maxPixels} pixels, found ${width} x ${height}`);
  }
  // The decoder takes packed samples of interlaced pictures for whole bytes, without an error.
  if (header.getUint8(12) !== 0 && header.getUint8(8) < 8) {
    throw new Error(`interlaced with ${header.getUint8(8)} bits a sample: save it without interlacing`);
  }
}

type Color = [red: number, green: number, blue: number, alpha: number];

/** Reads pixels as colours in [0, 1]. */
function colorReader(png: DecodedPng): (pixel: number) => Color {
  const { channels, depth, palette, transparency } = png;
  const samples = unpackSamples(png);
  const most = 2 ** depth - 1;
  if (palette !== undefined && channels === 1) {
    return (pixel) => {
      const color = palette[samples[pixel] ?? 0];
      if (color === undefined) throw new Error(`pixel ${pixel} has a colour that is not in the palette`);
      const [red = 0, green = 0, blue = 0, alpha = 255] = color;
      return [red / 255, green / 255, blue / 255, alpha / 255];
    };
  }
  const colors = channels < 3 ? 1 : 3;
  const isTransparent = (start: number): boolean =>
    transparency !== undefined && transparency.every((value, i) => samples[start + i] === value);
  return (pixel) => {
    const start = pixel * channels;
    const at = (offset: number): number => (samples[start + offset] ?? 0) / most;
    const alpha = channels > colors ? at(colors) : isTransparent(start) ? 0 : 1;
    return colors === 1 ? [at(0), at(0), at(0), alpha] : [at(0), at(1), at(2), alpha];
  };
}

/** One number a sample. Below 8 bits they lie packed, and each row begins with a new byte. */
function unpackSamples({ width, height, depth, data }: DecodedPng): ArrayLike<number> {
  if (depth >= 8) return data;
  const perByte = 8 / depth;
  const rowBytes = Math.ceil(width / perByte);
  return Uint8Array.from({ length: width * height }, (_, pixel) => {
    const x = pixel % width;
    const byte = data[Math.floor(pixel / width) * rowBytes + Math.floor(x / perByte)] ?? 0;
    return (byte >> (8 - depth * ((x % perByte) + 1))) & (2 ** depth - 1);
  });
}

function flatten(grey: Float32Array, alpha: Float32Array): Float32Array {
  let [opaque, light] = [0, 0];
  for (const [pixel, opacity] of alpha.entries()) {
    opaque += opacity;
    light += opacity * (grey[pixel] as number);
  }
  const isLightOnNothing = opaque < alpha.length / 2 && light > opaque / 2;
  const ground = isLightOnNothing ? 0 : 1;
  return grey.map((value, pixel) => {
    const opacity = alpha[pixel] as number;
    return value * opacity + ground * (1 - opacity);
  });
}
