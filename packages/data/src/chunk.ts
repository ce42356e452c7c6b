import { GradwireError } from '@gradwire/errors';
import type { ChunkEntry, Dataset, DatasetManifest, FeatureType } from './dataset.ts';
import { formatCount } from './format-count.ts';

/** The samples of one chunk. */
export interface ChunkContent {
  /** The chunk's samples one after the other, row-major; for `uint8` a view of the chunk's bytes. */
  readonly features: Uint8Array | Float32Array;
  /** The class index of each sample; a view of the chunk's bytes. */
  readonly labels: Uint8Array;
}

/** The part of a data set or manifest that decides the size of a sample. */
interface SampleLayout {
  readonly sampleShape: readonly number[];
  readonly featureType: FeatureType;
}

/** How many numbers one sample has. */
export function sampleSize({ sampleShape }: Pick<SampleLayout, 'sampleShape'>): number {
  return sampleShape.reduce((product, size) => product * size, 1);
}

/** How many bytes a chunk of `count` samples has: the features, then one label byte for each. */
export function chunkByteLength(layout: SampleLayout, count: number): number {
  return count * (sampleSize(layout) * (layout.featureType === 'uint8' ? 1 : 4) + 1);
}

/**
 * The bytes of one chunk: the features of its samples (float32 as little-endian), then one label byte for each.
 *
 * @param entry - The samples to take; from the manifest of this data set. `RangeError` if they are not all there.
 */
export function chunkBytes(dataset: Dataset, entry: Pick<ChunkEntry, 'start' | 'count'>): Uint8Array {
  const { start, count } = entry;
  const end = start + count;
  if (!(start >= 0 && start <= end && end <= dataset.count)) {
    throw new RangeError(`entry must lie within 0 to ${dataset.count}, got ${start} to ${end}`);
  }
  const size = sampleSize(dataset);
  const features = dataset.features.subarray(start * size, end * size);
  const bytes = new Uint8Array(chunkByteLength(dataset, count));
  if (features instanceof Uint8Array) {
    bytes.set(features);
  } else {
    const view = new DataView(bytes.buffer);
    features.forEach((value, i) => {
      view.setFloat32(4 * i, value, true);
    });
  }
  bytes.set(dataset.labels.subarray(start, end), bytes.length - count);
  return bytes;
}

/**
 * The samples in a chunk's bytes. Checks size and labels; the caller compares the hash (`sha256Hex`) first.
 *
 * @throws GradwireError `DATA_CORRUPT` if the size is not as announced or a label has no class name.
 */
export function decodeChunk(manifest: DatasetManifest, entry: ChunkEntry, bytes: Uint8Array): ChunkContent {
  const name = `${manifest.name} ${manifest.split}, chunk ${entry.sha256.slice(0, 12)}`;
  const expected = chunkByteLength(manifest, entry.count);
  if (bytes.length !== expected) {
    const found = formatCount(bytes.length);
    throw new GradwireError(
      'DATA_CORRUPT',
      `${name}: expected ${formatCount(expected)} bytes, found ${found}`,
      {
        hint: 'Fetch the chunk again.',
      },
    );
  }
  const labels = bytes.subarray(expected - entry.count);
  const classes = manifest.classNames.length;
  const wrong = labels.find((label) => label >= classes);
  if (wrong !== undefined) {
    throw new GradwireError(
      'DATA_CORRUPT',
      `${name}: expected labels from 0 to ${classes - 1}, found ${wrong}`,
      {
        hint: 'The data set was published with wrong labels or class names.',
      },
    );
  }
  return {
    features: decodeFeatures(manifest.featureType, bytes.subarray(0, expected - entry.count)),
    labels,
  };
}

function decodeFeatures(featureType: FeatureType, bytes: Uint8Array): Uint8Array | Float32Array {
  if (featureType === 'uint8') return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const features = new Float32Array(bytes.length / 4);
  for (let i = 0; i < features.length; i++) features[i] = view.getFloat32(4 * i, true);
  return features;
}
