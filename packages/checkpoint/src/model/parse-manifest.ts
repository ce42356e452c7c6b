import { GradwireError, showValue, toError } from '@gradwire/errors';
import { elementCount } from '../safetensors/tensor.ts';
import { type ModelManifest, modelFiles } from './model-files.ts';

type Json = Readonly<Record<string, unknown>>;

/** Checks `gradwire.json`. Throws `GradwireError` FILE_CORRUPT naming path, setting, expected and found. */
export function parseManifest(bytes: Uint8Array, path: string): ModelManifest {
  const manifest = parseObject(bytes, path);
  for (const [setting, expected, accepts] of rules) {
    if (accepts(manifest[setting], manifest)) continue;
    const found = showValue(manifest[setting]);
    throw new GradwireError('FILE_CORRUPT', `${path}: ${setting}: expected ${expected}, found ${found}`, {
      hint: 'The file is damaged or of another version of Gradwire.',
    });
  }
  return manifest as unknown as ModelManifest;
}

type Rule = readonly [
  setting: keyof ModelManifest,
  expected: string,
  accepts: (value: unknown, all: Json) => boolean,
];

const rules: readonly Rule[] = [
  ['format', '"gradwire-model/1"', (value) => value === 'gradwire-model/1'],
  ['recipe', 'an object', isObject],
  ['classNames', 'a list of texts', isTexts],
  [
    'statistics',
    'equally long lists mean and deviation',
    (value) => value === undefined || isStatistics(value),
  ],
  ['weightsSha256', '64 hexadecimal digits', isSum],
  ['files', 'sizes and sums of the three files', isFiles],
  ['layout', 'parameters without gap that fill weights.bin', (value, all) => isLayout(value, all['files'])],
];

/** The object in a JSON file. Throws `GradwireError` FILE_CORRUPT. */
export function parseObject(bytes: Uint8Array, path: string): Json {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (isObject(value)) return value;
  } catch (cause) {
    throw new GradwireError('FILE_CORRUPT', `${path}: expected JSON, found ${toError(cause).message}`, {
      cause,
    });
  }
  throw new GradwireError('FILE_CORRUPT', `${path}: expected an object, found another value`);
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function isSum(value: unknown): boolean {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}

function isStatistics(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { mean, deviation } = value;
  if (!isFiniteList(mean) || !isFiniteList(deviation)) return false;
  return mean.length === deviation.length && deviation.every((one) => one > 0);
}

function isFiniteList(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isFinite(item));
}

function isFiles(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { manifest: _, ...others } = modelFiles;
  // Exactly these names, so that a manifest cannot point outside its directory.
  if (Object.keys(value).sort().join() !== Object.values(others).sort().join()) return false;
  return Object.values(value).every(
    (file) => isObject(file) && Number.isSafeInteger(file['bytes']) && isSum(file['sha256']),
  );
}

function isLayout(value: unknown, files: unknown): boolean {
  if (!isObject(value) || !Array.isArray(value['parameters'])) return false;
  let end = 0;
  for (const parameter of value['parameters'] as unknown[]) {
    if (!isParameter(parameter) || parameter['offset'] !== end) return false;
    end += parameter['size'] as number;
  }
  const { bytes } = (files as Record<string, { bytes: number }>)[modelFiles.weights] as { bytes: number };
  return value['size'] === end && bytes === end * 4;
}

function isParameter(value: unknown): value is Json {
  if (!isObject(value) || typeof value['name'] !== 'string') return false;
  if (!['kernel', 'bias', 'statistic'].includes(value['role'] as string)) return false;
  const { shape, size } = value;
  return Array.isArray(shape) && Number.isSafeInteger(size) && elementCount(shape) === size;
}
