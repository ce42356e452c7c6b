import { createManifest } from './create-manifest.ts';
import type { Dataset } from './dataset.ts';
import { encodeManifest } from './manifest-codec.ts';
import { sha256Hex } from './sha256.ts';

/** Of the object, not of its values: a copy with other samples has another manifest. */
const known = new WeakMap<Dataset, string>();

/**
 * The SHA-256 of a data set's manifest, as `createManifest` makes it by default: it names the data set. The data set
 * must not change afterwards: its hash is remembered.
 */
export async function manifestHash(dataset: Dataset): Promise<string> {
  const before = known.get(dataset);
  if (before !== undefined) return before;
  const hash = await sha256Hex(encodeManifest(await createManifest(dataset)));
  known.set(dataset, hash);
  return hash;
}

/** Says beforehand what {@link manifestHash} would find in a quarter of a second, for data that was verified otherwise. */
export function rememberManifestHash(dataset: Dataset, hash: string): void {
  known.set(dataset, hash);
}
