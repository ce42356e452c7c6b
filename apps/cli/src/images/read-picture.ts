import { readFile } from 'node:fs/promises';
import { GradwireError, toError } from '@gradwire/errors';
import { decodePng, notPng } from './decode-png.ts';
import type { Picture } from './picture.ts';

/** Reads a PNG file as a grey picture. Throws `GradwireError` DATA_NOT_FOUND or DATA_CORRUPT, naming the file. */
export async function readPicture(path: string): Promise<Picture> {
  const bytes = await readBytes(path);
  try {
    return decodePng(bytes);
  } catch (cause) {
    throw new GradwireError('DATA_CORRUPT', `${path}: expected a PNG picture, found ${reason(cause)}`, {
      cause,
      hint: 'Give a PNG file, or save the picture as PNG again with any paint program.',
    });
  }
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const message = code === 'ENOENT' ? 'there is no such file' : toError(cause).message;
    throw new GradwireError('DATA_NOT_FOUND', `${path}: ${message}`, {
      cause,
      hint: 'Give the path of a PNG file.',
    });
  }
}

function reason(cause: unknown): string {
  const { message, cause: deeper } = toError(cause);
  if (message === notPng) return 'a file of another kind';
  // What the decoder says when the bytes end where more were announced.
  const isCut = /outside the bounds|unexpected EOF|Invalid typed array length|Unsupported filter: undefined/i;
  if (isCut.test(`${message} ${String(deeper)}`)) return 'a file that ends too early';
  return `one that cannot be read: ${message}`;
}
