import {
  type ChunkEntry,
  type Dataset,
  type DatasetManifest,
  decodeChunk,
  decodeManifest,
  sampleSize,
} from '@gradwire/data';
import type { RawSamples } from '@gradwire/training';
import type { BlobFetcher } from './blob-fetcher.ts';

/** One split of the data set on a worker: only the chunks that its leases need. */
export interface SampleStore {
  /** Number of samples. */
  readonly count: number;
  /** Makes samples present. */
  ensure(indices: Uint32Array): Promise<void>;
  /** All samples of the split in shared memory, row-major; those that were never ensured are zero. */
  readonly samples: RawSamples;
}

/** A store over a data set that this machine has already; copied unless it lies in shared memory. */
export function createLocalStore(dataset: Dataset): SampleStore {
  const samples = { features: shared(dataset.features), labels: shared(dataset.labels) as Uint8Array };
  return { count: dataset.count, samples, ensure: async () => undefined };
}

/** A store that fetches missing chunks from the coordinator (or the disk cache), each verified by its sum. */
export async function createFetchingStore(manifestSha256: string, blobs: BlobFetcher): Promise<SampleStore> {
  const manifest = decodeManifest(await blobs.fetch(manifestSha256));
  const samples = allocate(manifest);
  const present = new Set<ChunkEntry>();
  const size = sampleSize(manifest);
  const load = async (entry: ChunkEntry): Promise<void> => {
    const { features, labels } = decodeChunk(manifest, entry, await blobs.fetch(entry.sha256));
    samples.features.set(features, entry.start * size);
    samples.labels.set(labels, entry.start);
    present.add(entry);
  };
  const ensure = (indices: Uint32Array): Promise<void> =>
    forEachLimited(
      chunksOf(manifest, indices).filter((entry) => !present.has(entry)),
      load,
    );
  return { count: manifest.count, samples, ensure };
}

/** The chunks that hold any of `indices`. */
function chunksOf(manifest: DatasetManifest, indices: Uint32Array): ChunkEntry[] {
  const sorted = indices.toSorted();
  let next = 0;
  return manifest.chunks.filter((entry) => {
    while (next < sorted.length && (sorted[next] ?? 0) < entry.start) next += 1;
    const sample = sorted[next];
    return sample !== undefined && sample < entry.start + entry.count;
  });
}

/** Six at a time: enough to fill a link, few enough for any server. */
async function forEachLimited<T>(items: readonly T[], task: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const lane = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await task(item);
  };
  await Promise.all(Array.from({ length: 6 }, lane));
}

function allocate({ featureType, count, sampleShape }: DatasetManifest): RawSamples {
  const length = count * sampleSize({ sampleShape });
  const features =
    featureType === 'uint8'
      ? new Uint8Array(new SharedArrayBuffer(length))
      : new Float32Array(new SharedArrayBuffer(4 * length));
  return { features, labels: new Uint8Array(new SharedArrayBuffer(count)) };
}

/** The same values where every thread of the process can read them. */
function shared(values: Uint8Array | Float32Array): Uint8Array | Float32Array {
  if (values.buffer instanceof SharedArrayBuffer) return values;
  const memory = new SharedArrayBuffer(values.byteLength);
  const copy = values instanceof Uint8Array ? new Uint8Array(memory) : new Float32Array(memory);
  copy.set(values);
  return copy;
}
