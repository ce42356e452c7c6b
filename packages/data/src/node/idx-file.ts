import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { IdxArray } from '../idx-types.ts';
import { readIdx } from '../read-idx.ts';
import { writeIdx } from '../write-idx.ts';
import type { ReadFileOptions } from './unpacked-file.ts';
import { readUnpacked } from './unpacked-file.ts';
import { writeWholeFile } from './whole-file.ts';

/**
 * Reads an IDX file, plain or compressed with gzip (told by its content, not by its name).
 *
 * @throws GradwireError `DATA_NOT_FOUND` if it cannot be read, `DATA_CORRUPT` if it is damaged or no IDX file,
 * `CANCELLED` if `signal` stopped it.
 *
 * @example
 * const { shape, data } = await readIdxFile('data/t10k-images-idx3-ubyte.gz');
 */
export async function readIdxFile(path: string, options: ReadFileOptions = {}): Promise<IdxArray> {
  return readIdx(await readUnpacked(path, options), path);
}

/**
 * Writes an IDX file, whole or not at all, compressed with gzip if `path` ends with `.gz`.
 *
 * @throws GradwireError `FILE_WRITE_FAILED`; `RangeError` if shape and data contradict each other.
 */
export async function writeIdxFile(path: string, array: IdxArray): Promise<void> {
  const bytes = writeIdx(array);
  await writeWholeFile(path, [path.endsWith('.gz') ? await promisify(gzip)(bytes) : bytes], { sync: true });
}
