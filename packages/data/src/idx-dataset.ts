import { GradwireError } from '@gradwire/errors';
import type { Dataset } from './dataset.ts';
import { formatCount } from './format-count.ts';
import type { IdxArray } from './idx-types.ts';

const maxClasses = 256;

/** What {@link datasetFromIdx} makes a data set of. */
export interface IdxDatasetParts {
  readonly name: string;
  readonly split: 'train' | 'test';
  /** `uint8` or `float32` of shape `[count, height, width]`, `[count, height, width, channels]` or `[count, size]`. */
  readonly images: IdxArray;
  /** Integers of shape `[count]`, each an index into `classNames`. */
  readonly labels: IdxArray;
  /** 1 to 256 names. */
  readonly classNames: readonly string[];
  /** The files that `images` and `labels` were read from, for error messages. */
  readonly sources: { readonly images: string; readonly labels: string };
}

/**
 * Joins an array of images and an array of labels into a data set.
 * Images without channels get one, so that `[count, 28, 28]` becomes samples of `[28, 28, 1]`.
 *
 * @throws GradwireError `DATA_MISMATCH` if the counts differ or a label has no class name; `DATA_CORRUPT` if an array's
 * type or rank is not as described, or it is empty. `RangeError` for more than 256 or no class names.
 */
export function datasetFromIdx({
  name,
  split,
  images,
  labels,
  classNames,
  sources,
}: IdxDatasetParts): Dataset {
  if (classNames.length < 1 || classNames.length > maxClasses) {
    throw new RangeError(`classNames must have 1 to ${maxClasses} names, got ${classNames.length}`);
  }
  const features = checkedFeatures(images, sources.images);
  checkLabels(labels, sources.labels);
  const [count = 0, ...sizes] = images.shape;
  if (labels.shape[0] !== count) {
    throw new GradwireError(
      'DATA_MISMATCH',
      `${sources.labels}: expected ${formatCount(count)} labels, one for each image in ${sources.images}, ` +
        `found ${formatCount(labels.shape[0] ?? 0)}`,
      { hint: 'Give the label file that belongs to the image file.' },
    );
  }
  checkLabelRange(labels, classNames.length, sources.labels);
  return {
    name,
    split,
    count,
    sampleShape: sizes.length === 2 ? [...sizes, 1] : sizes,
    featureType: features instanceof Uint8Array ? 'uint8' : 'float32',
    features,
    labels: labels.dtype === 'uint8' ? labels.data : Uint8Array.from(labels.data),
    classNames,
  };
}

function checkedFeatures({ dtype, shape, data }: IdxArray, source: string): Uint8Array | Float32Array {
  if (dtype !== 'uint8' && dtype !== 'float32')
    throw corrupt(source, 'elements of type uint8 or float32', dtype);
  if (shape.length < 2 || shape.length > 4) {
    throw corrupt(source, 'images, an array of rank 2 to 4', `rank ${shape.length}`);
  }
  if (data.length === 0) throw corrupt(source, 'at least one image', `shape ${shape.join(' x ')}`);
  return data;
}

function checkLabels({ dtype, shape }: IdxArray, source: string): void {
  if (dtype === 'float32' || dtype === 'float64') throw corrupt(source, 'labels of an integer type', dtype);
  if (shape.length !== 1) throw corrupt(source, 'labels, an array of rank 1', `rank ${shape.length}`);
}

function checkLabelRange({ data }: IdxArray, classes: number, source: string): void {
  const sample = data.findIndex((label) => label < 0 || label >= classes);
  if (sample === -1) return;
  throw new GradwireError(
    'DATA_MISMATCH',
    `${source}: expected labels from 0 to ${classes - 1}, found ${data[sample]} at sample ${formatCount(sample)}`,
    { hint: 'The file is damaged, or belongs to a data set with other classes.' },
  );
}

function corrupt(source: string, expected: string, found: string): GradwireError {
  return new GradwireError('DATA_CORRUPT', `${source}: expected ${expected}, found ${found}`, {
    hint: 'Check that this is the right file.',
  });
}
