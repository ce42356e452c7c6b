import { GradwireError } from '@gradwire/errors';
import { elementCount } from '../safetensors/tensor.ts';
import type { ModelArtifacts } from './model-files.ts';
import { isObject, parseObject } from './parse-manifest.ts';

/** The parts of `model.json` that are read. */
export interface TopologyFile {
  readonly modelTopology: object;
  readonly generatedBy?: string;
  readonly weightsManifest: readonly [{ readonly weights: ModelArtifacts['weightSpecs'] }];
}

/**
 * Checks `model.json`: its sum may be right and its form wrong, if somebody else wrote both. What the topology says is
 * tfjs's to check. Throws `GradwireError` FILE_CORRUPT.
 */
export function parseTopology(bytes: Uint8Array, path: string): TopologyFile {
  const file = parseObject(bytes, path);
  const { modelTopology, generatedBy = '', weightsManifest } = file;
  const groups: unknown[] = Array.isArray(weightsManifest) ? weightsManifest : [];
  const [group] = groups;
  const isWhole =
    isObject(modelTopology) &&
    typeof generatedBy === 'string' &&
    groups.length === 1 &&
    isObject(group) &&
    Array.isArray(group['weights']) &&
    group['weights'].every(isWeightSpec);
  if (isWhole) return file as unknown as TopologyFile;
  throw new GradwireError(
    'FILE_CORRUPT',
    `${path}: expected a topology and one list of weights, found another form`,
    { hint: 'The file is damaged or of another version of Gradwire.' },
  );
}

function isWeightSpec(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { name, shape, dtype } = value;
  if (typeof name !== 'string' || typeof dtype !== 'string') return false;
  return Array.isArray(shape) && elementCount(shape) !== undefined;
}
