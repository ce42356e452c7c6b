import { webcrypto } from 'node:crypto';
import { decodeSafetensors } from '../safetensors/decode.ts';
import { encodeSafetensors } from '../safetensors/encode.ts';
import { type Refuse, refusal } from '../safetensors/refusal.ts';
import type { NamedTensor } from '../safetensors/tensor.ts';
import { sha256 } from '../sha256.ts';
import { type Snapshot, snapshotFormat, type SnapshotRecord } from './snapshot.ts';

const weightsName = 'weights';
const optimizerPrefix = 'optimizer.';

/**
 * Encodes a snapshot as one safetensors file: `weights`, `optimizer.<name>` …, and as metadata `format`, `record` (JSON),
 * `sums` (JSON: the SHA-256 of each tensor), and `sha256`, the sum over the texts of record and sums: no bit can flip
 * unnoticed.
 *
 * The tensors' sums are computed in the background: the vectors must not change before the promise resolves.
 */
export async function encodeSnapshot({ record, weights, optimizer }: Snapshot): Promise<Uint8Array> {
  const tensors: [string, Float32Array][] = [[weightsName, weights]];
  for (const [name, values] of Object.entries(optimizer)) tensors.push([`${optimizerPrefix}${name}`, values]);
  const sums: Record<string, string> = {};
  for (const [name, data] of tensors) sums[name] = await sumInBackground(data);
  const texts = { record: JSON.stringify(record), sums: JSON.stringify(sums) };
  return encodeSafetensors({
    tensors: tensors.map(([name, data]) => ({ name, shape: [data.length], data })),
    metadata: { format: snapshotFormat, ...texts, sha256: sumOfTexts(texts) },
  });
}

/** A snapshot as read from disk. */
export interface StoredSnapshot extends Snapshot {
  readonly weightsSha256: string;
}

/**
 * Decodes what {@link encodeSnapshot} has written. `name`: what messages call the file.
 * Throws `GradwireError` FILE_CORRUPT if it is torn, damaged in any bit, or of another version.
 */
export function decodeSnapshot(bytes: Uint8Array, name: string): StoredSnapshot {
  const refuse = refusal(name);
  const { tensors, metadata } = decodeSafetensors(bytes, { name });
  const { format, record = '', sums = '', sha256: expected } = metadata;
  if (format !== snapshotFormat) refuse(`format ${snapshotFormat}`, format?.slice(0, 60) ?? 'none');
  const found = sumOfTexts({ record, sums });
  if (found !== expected) refuse(`a record with SHA-256 ${expected?.slice(0, 80)}`, found);
  // Their sum is right, so they are what this version has written.
  const sumOf = JSON.parse(sums) as Record<string, string>;
  const vectors = tensors.map((tensor) => toVector(tensor, refuse));
  for (const { name: tensor, data } of vectors) {
    const sum = sha256(bytesOf(data));
    if (sum !== sumOf[tensor]) refuse(`${tensor} with SHA-256 ${sumOf[tensor]}`, sum);
  }
  const [weights, ...optimizer] = vectors;
  const names = Object.keys(sumOf).join(', ');
  if (!weights || vectors.map((vector) => vector.name).join(', ') !== names) refuse(names, 'other tensors');
  return {
    record: JSON.parse(record) as SnapshotRecord,
    weights: (weights as Vector).data,
    optimizer: Object.fromEntries(
      optimizer.map((each) => [each.name.slice(optimizerPrefix.length), each.data]),
    ),
    weightsSha256: sumOf[weightsName] ?? '',
  };
}

interface Vector {
  readonly name: string;
  readonly data: Float32Array;
}

function toVector({ name, data }: NamedTensor, refuse: Refuse): Vector {
  if (!(data instanceof Float32Array)) return refuse(`${name} of type F32`, 'another type');
  return { name, data };
}

function sumOfTexts({ record, sums }: { readonly record: string; readonly sums: string }): string {
  return sha256(new TextEncoder().encode(`${record}\n${sums}`));
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}

/** SHA-256 on another thread: megabytes take milliseconds, in which a step could be committed. */
async function sumInBackground(data: Float32Array): Promise<string> {
  return Buffer.from(await webcrypto.subtle.digest('SHA-256', bytesOf(data))).toString('hex');
}
