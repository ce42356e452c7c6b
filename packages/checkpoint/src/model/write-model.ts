import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ParameterLayout } from '@gradwire/engine';
import { encodeSafetensors } from '../safetensors/encode.ts';
import { sha256, weightsSha256 } from '../sha256.ts';
import { writeFileWhole } from '../write-file-whole.ts';
import { type ModelArtifacts, type ModelExtras, type ModelManifest, modelFiles } from './model-files.ts';

/** What {@link writeModel} writes. */
export interface ModelContent {
  readonly artifacts: ModelArtifacts;
  /** All weights, flat; the same bytes as `artifacts.weightData`. */
  readonly weights: Float32Array;
  readonly layout: ParameterLayout;
  readonly extras: ModelExtras;
}

/**
 * Writes a model directory: `model.json` and `weights.bin` (tfjs LayersModel, read by `tf.loadLayersModel`),
 * `weights.safetensors`, and last `gradwire.json` (recipe, statistics, class names, sums). Resolves to the paths written.
 *
 * Throws `GradwireError` FILE_WRITE_FAILED; `RangeError` if weights, layout and artifacts do not fit one another.
 *
 * @example
 * await writeModel(join(run.path, 'model'), { artifacts, weights, layout, extras: { recipe, classNames } });
 */
export async function writeModel(directory: string, content: ModelContent): Promise<string[]> {
  checkFit(content);
  await mkdir(directory, { recursive: true });
  const files = new Map<string, Uint8Array>([
    [modelFiles.topology, new TextEncoder().encode(topologyText(content.artifacts))],
    [modelFiles.weights, new Uint8Array(content.artifacts.weightData)],
    [modelFiles.safetensors, encodeSafetensors(toTensors(content))],
  ]);
  files.set(modelFiles.manifest, new TextEncoder().encode(manifestText(content, files)));
  for (const [name, bytes] of files) await writeFileWhole(join(directory, name), bytes);
  return [...files.keys()].map((name) => join(directory, name));
}

function checkFit({ artifacts, weights, layout }: ModelContent): void {
  if (weights.length !== layout.size) {
    throw new RangeError(
      `weights must have ${layout.size} elements as the layout has, got ${weights.length}`,
    );
  }
  if (sha256(new Uint8Array(artifacts.weightData)) !== weightsSha256(weights)) {
    // Otherwise the two forms of the model could hold different networks.
    throw new RangeError('artifacts.weightData must hold the same bytes as weights, got others');
  }
}

/** `model.json` in the form that `tf.loadLayersModel` reads. */
function topologyText({ modelTopology, weightSpecs, generatedBy = 'Gradwire' }: ModelArtifacts): string {
  return `${JSON.stringify({
    format: 'layers-model',
    generatedBy,
    convertedBy: null,
    modelTopology,
    weightsManifest: [{ paths: [modelFiles.weights], weights: weightSpecs }],
  })}\n`;
}

function toTensors({ weights, layout, extras }: ModelContent): Parameters<typeof encodeSafetensors>[0] {
  const tensors = layout.parameters.map(({ name, shape, offset, size }) => ({
    name,
    shape,
    data: weights.subarray(offset, offset + size),
  }));
  return { tensors, metadata: { format: 'tf', classNames: JSON.stringify(extras.classNames) } };
}

function manifestText(
  { weights, layout, extras }: ModelContent,
  files: ReadonlyMap<string, Uint8Array>,
): string {
  const sums = [...files].map(
    ([name, bytes]) => [name, { bytes: bytes.length, sha256: sha256(bytes) }] as const,
  );
  const manifest: ModelManifest = {
    format: 'gradwire-model/1',
    weightsSha256: weightsSha256(weights),
    ...extras,
    layout,
    files: Object.fromEntries(sums),
  };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}
