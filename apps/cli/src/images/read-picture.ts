import { readFile } from 'node:fs/promises';
import { GradwireError, toError } from '@gradwire/errors';
import { decodePng } from './decode-png.ts';
import type { Picture } from './picture.ts';

/** Reads a PNG file as a grey picture. Throws `GradwireError` DATA_NOT_FOUND or DATA_CORRUPT, naming the file. */
export async function readPicture(path: string): Promise<Picture> {
  const bytes = await readBytes(path);
  try {
    return decodePng(bytes);
  } catch (cause) {
    throw new GradwireError('DATA_CORRUPT', `${path}: expected a PNG picture, found ${reason(cause)}`, {
      cause,
      hint: 'Save the picture as PNG again, with any paint program.',
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
  const { message } = toError(cause);
  // What the decoder says when the bytes end where more were announced.
  const isCut = /outside the bounds|unexpected EOF|Unsupported filter: undefined/i.test(message);
  return isCut ? 'a file that ends too early' : `a damaged or other file (${message})`;
}
