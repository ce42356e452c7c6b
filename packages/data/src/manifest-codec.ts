import { GradwireError, showValue } from '@gradwire/errors';
import { chunkByteLength } from './chunk.ts';
import type { ChunkEntry, DatasetManifest } from './dataset.ts';
import { isSha256Hex } from './sha256.ts';

const maxRank = 8;
const maxClasses = 256;

/** The manifest as canonical JSON (no spaces, keys in alphabetical order, UTF-8): equal manifests give equal bytes. */
export function encodeManifest(manifest: DatasetManifest): Uint8Array {
  const canonical = {
    chunks: manifest.chunks.map(({ bytes, count, sha256, start }) => ({ bytes, count, sha256, start })),
    classNames: manifest.classNames,
    count: manifest.count,
    featureType: manifest.featureType,
    format: manifest.format,
    name: manifest.name,
    sampleShape: manifest.sampleShape,
    split: manifest.split,
  };
  return new TextEncoder().encode(JSON.stringify(canonical));
}

/**
 * Reads a manifest from bytes that need not be trusted: every field is checked, and the chunks must follow one
 * another from the first sample to the last. Unknown fields are dropped.
 *
 * @throws GradwireError `DATA_CORRUPT` naming the field, what was expected and what was found.
 */
export function decodeManifest(bytes: Uint8Array): DatasetManifest {
  const { format, name, split, count, sampleShape, featureType, classNames, chunks } = parseObject(bytes);
  check(isOneOf(format, ['gradwire-dataset/1']), ['format', 'gradwire-dataset/1', format]);
  check(isText(name) && name !== '', ['name', 'a text', name]);
  check(isOneOf(split, ['train', 'test']), ['split', 'train or test', split]);
  check(isCount(count), ['count', 'a positive integer', count]);
  check(isOneOf(featureType, ['uint8', 'float32']), ['featureType', 'uint8 or float32', featureType]);
  check(isArrayOf(sampleShape, isCount, maxRank), [
    'sampleShape',
    `1 to ${maxRank} positive integers`,
    sampleShape,
  ]);
  check(isArrayOf(classNames, isText, maxClasses), ['classNames', `1 to ${maxClasses} texts`, classNames]);
  check(isArrayOf(chunks, isObject, count), ['chunks', 'a list of at most `count` chunks', chunks]);
  const head = { format, name, split, count, sampleShape, featureType, classNames };
  return { ...head, chunks: decodeEntries(chunks, head) };
}

function decodeEntries(chunks: readonly Fields[], head: Omit<DatasetManifest, 'chunks'>): ChunkEntry[] {
  let next = 0;
  const entries = chunks.map(({ sha256, start, count, bytes }, i): ChunkEntry => {
    const path = `chunks[${i}]`;
    check(isSha256Hex(sha256), [`${path}.sha256`, '64 lower-case hexadecimal digits', sha256]);
    check(start === next, [`${path}.start`, `${next}, where the chunk before ends`, start]);
    check(isCount(count), [`${path}.count`, 'a positive integer', count]);
    const expected = chunkByteLength(head, count);
    check(bytes === expected, [`${path}.bytes`, `${expected}`, bytes]);
    const entry = { sha256, start: next, count, bytes: expected };
    next += count;
    return entry;
  });
  check(next === head.count, ['chunks', `${head.count} samples in all`, next]);
  return entries;
}

type Fields = Readonly<Record<string, unknown>>;

function parseObject(bytes: Uint8Array): Fields {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new GradwireError('DATA_CORRUPT', 'manifest: expected JSON in UTF-8, found other bytes', { cause });
  }
  check(isObject(value), ['(root)', 'an object', value]);
  return value;
}

type Finding = readonly [field: string, expected: string, found: unknown];

function check(valid: boolean, [field, expected, found]: Finding): asserts valid {
  if (valid) return;
  throw new GradwireError(
    'DATA_CORRUPT',
    `manifest, ${field}: expected ${expected}, found ${showValue(found)}`,
    {
      hint: 'Use the same version of Gradwire on both sides.',
    },
  );
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isOneOf<const Option extends string>(value: unknown, options: readonly Option[]): value is Option {
  return options.some((option) => option === value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function isArrayOf<T>(value: unknown, is: (item: unknown) => item is T, maxLength: number): value is T[] {
  return Array.isArray(value) && value.length > 0 && value.length <= maxLength && value.every(is);
}
