import { chunkBytes, createManifest, encodeManifest, manifestHash } from '@gradwire/data';
import type { Splits } from './plan.ts';

/** Everything workers may fetch, by SHA-256: manifests and chunks. */
export interface BlobStore {
  readonly manifests: { readonly train: string; readonly test: string };
  /** The bytes of a manifest or chunk, or undefined if the sum is unknown. */
  read(sha256: string): Promise<Uint8Array | undefined>;
}

/**
 * Both splits in chunks. They are cut when a worker first asks for one: where all have the data, nobody waits for their
 * sums. Chunk bytes are made on demand, so that nothing is held twice.
 */
export async function createBlobStore(splits: Splits): Promise<BlobStore> {
  const manifests = { train: await manifestHash(splits.train), test: await manifestHash(splits.test) };
  let cut: Promise<Readers> | undefined;
  return {
    manifests,
    async read(sha256) {
      cut ??= cutChunks(splits, manifests);
      return (await cut).get(sha256)?.();
    },
  };
}

type Readers = ReadonlyMap<string, () => Uint8Array>;

async function cutChunks(splits: Splits, manifests: BlobStore['manifests']): Promise<Readers> {
  const readers = new Map<string, () => Uint8Array>();
  for (const split of ['train', 'test'] as const) {
    const dataset = splits[split];
    const manifest = await createManifest(dataset);
    for (const entry of manifest.chunks) readers.set(entry.sha256, () => chunkBytes(dataset, entry));
    const encoded = encodeManifest(manifest);
    readers.set(manifests[split], () => encoded);
  }
  return readers;
}
