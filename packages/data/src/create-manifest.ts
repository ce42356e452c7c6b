import { checkInteger } from './check-integer.ts';
import { chunkBytes } from './chunk.ts';
import type { ChunkEntry, Dataset, DatasetManifest } from './dataset.ts';
import { sha256Hex } from './sha256.ts';

/** Options of {@link createManifest}. */
export interface ManifestOptions {
  /** At least 1; 1000 by default: 785 kB for MNIST, small enough to fetch again and large enough for one request. */
  readonly samplesPerChunk?: number;
}

/**
 * Cuts a data set into chunks and lists them with their SHA-256 sums.
 * Equal data sets give equal manifests, so a manifest's own hash names the data.
 *
 * @example
 * const manifest = await createManifest(train);
 * for (const entry of manifest.chunks) publish(entry.sha256, chunkBytes(train, entry));
 */
export async function createManifest(
  dataset: Dataset,
  { samplesPerChunk = 1000 }: ManifestOptions = {},
): Promise<DatasetManifest> {
  checkInteger('samplesPerChunk', samplesPerChunk, [1]);
  const { name, split, count, sampleShape, featureType, classNames } = dataset;
  const chunks: ChunkEntry[] = [];
  // One after the other: hashing all at once would hold a second copy of the whole data set.
  for (let start = 0; start < count; start += samplesPerChunk) {
    const range = { start, count: Math.min(samplesPerChunk, count - start) };
    const bytes = chunkBytes(dataset, range);
    chunks.push({ sha256: await sha256Hex(bytes), ...range, bytes: bytes.length });
  }
  return { format: 'gradwire-dataset/1', name, split, count, sampleShape, featureType, classNames, chunks };
}
