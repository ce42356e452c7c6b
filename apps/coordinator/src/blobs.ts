import { createHash } from 'node:crypto';
import { chunkBytes, createManifest, encodeManifest } from '@gradwire/data';
import type { Splits } from './plan.ts';

/** Everything workers may fetch, by SHA-256: manifests and chunks. */
export interface BlobStore {
  readonly manifests: { readonly train: string; readonly test: string };
  /** The bytes of a manifest or chunk, or undefined if the sum is unknown. */
  read(sha256: string): Uint8Array | undefined;
}

/** Cuts both splits into chunks. Chunk bytes are made on demand, so that nothing is held twice. */
export async function createBlobStore(splits: Splits): Promise<BlobStore> {
  const readers = new Map<string, () => Uint8Array>();
  const add = async (dataset: Splits['train']): Promise<string> => {
    const manifest = await createManifest(dataset);
    for (const entry of manifest.chunks) readers.set(entry.sha256, () => chunkBytes(dataset, entry));
    const encoded = encodeManifest(manifest);
    const sha256 = createHash('sha256').update(encoded).digest('hex');
    readers.set(sha256, () => encoded);
    return sha256;
  };
  const manifests = { train: await add(splits.train), test: await add(splits.test) };
  return { manifests, read: (sha256) => readers.get(sha256)?.() };
}
