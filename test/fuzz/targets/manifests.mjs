import { createManifest, chunkBytes, decodeChunk, decodeManifest, encodeManifest } from '@gradwire/data';
import * as fc from 'fast-check';
import { byteChanges, bytesFrom, changeBytes, jsonOf, valuesFrom } from '../mutate.mjs';

const dataset = {
  name: 'small',
  split: 'train',
  count: 50,
  sampleShape: [4, 4, 1],
  featureType: 'float32',
  features: new Float32Array(800).fill(0.25),
  labels: Uint8Array.from({ length: 50 }, (_, i) => i % 3),
  classNames: ['a', 'b', 'c'],
};

/** Manifests of data sets, and chunks read by them, as a worker gets them from a coordinator. */
export async function createTarget() {
  const manifest = await createManifest(dataset, { samplesPerChunk: 20 });
  const bytes = encodeManifest(manifest);
  const values = valuesFrom([JSON.parse(Buffer.from(bytes).toString())]).map((value) =>
    Buffer.from(jsonOf(value)),
  );
  const chunk = chunkBytes(dataset, manifest.chunks[0]);
  return {
    inputs: fc.tuple(fc.oneof(fc.constant(bytes), bytesFrom([bytes]), values), byteChanges),
    codes: ['DATA_CORRUPT'],
    run([found, changes]) {
      const decoded = decodeManifest(found);
      decodeChunk(decoded, decoded.chunks[0], changes.reduce(changeBytes, chunk));
    },
  };
}
