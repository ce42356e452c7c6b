import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { GradwireError } from '@gradwire/errors';
import type { Dataset } from '../dataset.ts';
import { datasetFromIdx } from '../idx-dataset.ts';
import type { IdxArray } from '../idx-types.ts';
import { rememberManifestHash } from '../manifest-hash.ts';
import { readIdx } from '../read-idx.ts';
import { hasCode, readFailure } from './file-failure.ts';
import type { MnistFile } from './mnist-files.ts';
import { mnistClassNames, mnistFiles, mnistManifests } from './mnist-files.ts';
import { readUnpacked } from './unpacked-file.ts';

/** Both splits of MNIST. */
export interface MnistSplits {
  /** 60,000 samples of 28 x 28 x 1. */
  readonly train: Dataset;
  /** 10,000 samples of 28 x 28 x 1. */
  readonly test: Dataset;
}

interface FoundArray {
  readonly path: string;
  readonly array: IdxArray;
}

/**
 * Reads the four files of MNIST, plain or `.gz`, from one folder and verifies each.
 *
 * @throws GradwireError `DATA_NOT_FOUND` if the folder or a file is missing, `DATA_CORRUPT` if one is damaged,
 * `DATA_MISMATCH` if one is whole but not MNIST's, `CANCELLED`.
 */
export async function readMnistFolder(
  directory: string,
  signal: AbortSignal | undefined,
): Promise<MnistSplits> {
  const names = await listFolder(directory);
  const read = async (file: MnistFile): Promise<FoundArray> => {
    const path = join(directory, chooseName(names, directory, file));
    return { path, array: await readMnistFile(path, file, signal) };
  };
  const { trainImages, trainLabels, testImages, testLabels } = mnistFiles;
  // At the same time, since reading and unpacking run on the thread pool.
  const [images, labels, moreImages, moreLabels] = await Promise.all([
    read(trainImages),
    read(trainLabels),
    read(testImages),
    read(testLabels),
  ]);
  return { train: joinSplit('train', images, labels), test: joinSplit('test', moreImages, moreLabels) };
}

async function listFolder(directory: string): Promise<Set<string>> {
  try {
    return new Set(await readdir(directory));
  } catch (cause) {
    if (!hasCode(cause, 'ENOENT', 'ENOTDIR')) throw readFailure(directory, cause);
    throw new GradwireError('DATA_NOT_FOUND', `${directory}: there is no such folder`, {
      cause,
      hint: 'Check the path.',
    });
  }
}

function chooseName(names: ReadonlySet<string>, directory: string, { name }: MnistFile): string {
  // Some copies are named train-images.idx3-ubyte.
  const dotted = name.replace('-idx', '.idx');
  const found = [name, `${name}.gz`, dotted, `${dotted}.gz`].find((candidate) => names.has(candidate));
  if (found !== undefined) return found;
  const inside = names.size === 0 ? 'an empty folder' : [...names].sort().slice(0, 8).join(', ');
  throw new GradwireError('DATA_NOT_FOUND', `${directory}: expected ${name} or ${name}.gz, found ${inside}`, {
    hint: 'Put the four files of MNIST into this folder.',
  });
}

async function readMnistFile(
  path: string,
  file: MnistFile,
  signal: AbortSignal | undefined,
): Promise<IdxArray> {
  const bytes = await readUnpacked(path, { maxBytes: file.bytes, signal });
  // Before the sum, since "truncated" tells a person more than "another sum".
  const array = readIdx(bytes, path);
  // In place: `sha256Hex` would copy the bytes, which takes longer than the sum.
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (sha256 === file.sha256) return array;
  throw new GradwireError(
    'DATA_MISMATCH',
    `${path}: expected SHA-256 ${file.sha256} (unpacked), found ${sha256}: not the ${file.name} of MNIST`,
    {
      hint: 'Use the original file. Data of other kinds in this format can be given to `gradwire evaluate`.',
    },
  );
}

function joinSplit(split: 'train' | 'test', images: FoundArray, labels: FoundArray): Dataset {
  const dataset = datasetFromIdx({
    name: 'mnist',
    split,
    images: images.array,
    labels: labels.array,
    classNames: mnistClassNames,
    sources: { images: images.path, labels: labels.path },
  });
  // The sums of the files have shown that this is MNIST: its chunks need no second one.
  rememberManifestHash(dataset, mnistManifests[split]);
  return dataset;
}
