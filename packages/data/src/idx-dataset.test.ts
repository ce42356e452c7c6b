import type { ErrorCode } from '@gradwire/errors';
import { expect, test } from 'vitest';
import type { IdxArray, IdxDatasetParts } from './index.ts';
import { datasetFromIdx } from './index.ts';

function array(dtype: IdxArray['dtype'], shape: number[]): IdxArray {
  const size = shape.reduce((product, n) => product * n, 1);
  const types = {
    uint8: Uint8Array,
    int8: Int8Array,
    int16: Int16Array,
    int32: Int32Array,
    float32: Float32Array,
    float64: Float64Array,
  };
  return { dtype, shape, data: new types[dtype](size) } as IdxArray;
}

const parts: IdxDatasetParts = {
  name: 'shapes',
  split: 'train',
  images: array('uint8', [3, 2, 2]),
  labels: { dtype: 'uint8', shape: [3], data: Uint8Array.of(0, 2, 1) },
  classNames: ['circle', 'square', 'star'],
  sources: { images: 'images.gz', labels: 'labels.gz' },
};

test('images and labels become a data set', () => {
  const dataset = datasetFromIdx(parts);
  expect(dataset).toMatchObject({ name: 'shapes', split: 'train', count: 3, featureType: 'uint8' });
  expect(dataset.sampleShape).toEqual([2, 2, 1]);
  expect(dataset.labels).toEqual(Uint8Array.of(0, 2, 1));
});

test.each([
  [[3, 5], [5]],
  [
    [3, 4, 4],
    [4, 4, 1],
  ],
  [
    [3, 4, 4, 3],
    [4, 4, 3],
  ],
])('images of shape %j give samples of shape %j', (shape, sampleShape) => {
  const dataset = datasetFromIdx({ ...parts, images: array('float32', shape) });
  expect(dataset.sampleShape).toEqual(sampleShape);
  expect(dataset.featureType).toBe('float32');
});

test('labels of a wider integer type are narrowed', () => {
  const labels: IdxArray = { dtype: 'int32', shape: [3], data: Int32Array.of(2, 1, 0) };
  expect(datasetFromIdx({ ...parts, labels }).labels).toEqual(Uint8Array.of(2, 1, 0));
});

const wrong: [
  problem: string,
  change: Partial<IdxDatasetParts>,
  expected: { code: ErrorCode; message: string },
][] = [
  [
    'fewer labels than images',
    { images: array('uint8', [4, 2, 2]) },
    {
      code: 'DATA_MISMATCH',
      message: 'labels.gz: expected 4 labels, one for each image in images.gz, found 3',
    },
  ],
  [
    'a label without a class name',
    { classNames: ['circle', 'square'] },
    { code: 'DATA_MISMATCH', message: 'labels.gz: expected labels from 0 to 1, found 2 at sample 1' },
  ],
  [
    'a negative label',
    { labels: { dtype: 'int8', shape: [3], data: Int8Array.of(0, 0, -1) } },
    { code: 'DATA_MISMATCH', message: 'labels.gz: expected labels from 0 to 2, found -1 at sample 2' },
  ],
  [
    'labels in place of images',
    { images: array('uint8', [3]) },
    { code: 'DATA_CORRUPT', message: 'images.gz: expected images, an array of rank 2 to 4, found rank 1' },
  ],
  [
    'images in place of labels',
    { labels: array('uint8', [3, 2, 2]) },
    { code: 'DATA_CORRUPT', message: 'labels.gz: expected labels, an array of rank 1, found rank 3' },
  ],
  [
    'images of another type',
    { images: array('int16', [3, 2, 2]) },
    { code: 'DATA_CORRUPT', message: 'images.gz: expected elements of type uint8 or float32, found int16' },
  ],
  [
    'labels that are fractions',
    { labels: array('float32', [3]) },
    { code: 'DATA_CORRUPT', message: 'labels.gz: expected labels of an integer type, found float32' },
  ],
  [
    'no images',
    { images: array('uint8', [0, 2, 2]), labels: array('uint8', [0]) },
    { code: 'DATA_CORRUPT', message: 'images.gz: expected at least one image, found shape 0 x 2 x 2' },
  ],
];

test.each(wrong)('refuses %s', (_problem, change, expected) => {
  expect(() => datasetFromIdx({ ...parts, ...change })).toThrow(expect.objectContaining(expected));
});

test('refuses more class names than a label byte can tell apart', () => {
  const classNames = Array.from({ length: 257 }, (_, i) => `class ${i}`);
  expect(() => datasetFromIdx({ ...parts, classNames })).toThrow(RangeError);
});
