import { writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { writeIdx } from '@gradwire/data';
import { readIdxFile } from '@gradwire/data/node';
import * as fc from 'fast-check';
import { byteChanges, bytesFrom, changeBytes } from '../mutate.mjs';

const array = {
  dtype: 'uint8',
  shape: [30, 8, 8],
  data: Uint8Array.from({ length: 1_920 }, (_, i) => i * 31),
};

/** IDX files on disk, plain or compressed; the compression spoilt, or what is inside it. */
export function createTarget() {
  const plain = writeIdx(array);
  const zeros = gzipSync(new Uint8Array(2 ** 20));
  const packed = fc.oneof(
    bytesFrom([gzipSync(plain), zeros]),
    byteChanges.map((changes) => gzipSync(changes.reduce(changeBytes, plain))),
  );
  return {
    inputs: fc.oneof({ weight: 1, arbitrary: bytesFrom([plain]) }, { weight: 3, arbitrary: packed }),
    codes: ['DATA_CORRUPT'],
    async run(bytes) {
      await writeFile('images', bytes);
      await readIdxFile('images');
    },
  };
}
