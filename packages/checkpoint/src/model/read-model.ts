import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GradwireError, toError } from '@gradwire/errors';
import { sha256, weightsSha256 } from '../sha256.ts';
import { findModel } from './find-model.ts';
import { type ModelArtifacts, type ModelManifest, modelFiles } from './model-files.ts';
import { parseManifest } from './parse-manifest.ts';
import { parseTopology, type TopologyFile } from './parse-topology.ts';

/** A model read from disk, its sums checked. */
export interface StoredModel extends ModelManifest {
  /** Where it was found. */
  readonly directory: string;
  /** Flat, in the order of `layout`. */
  readonly weights: Float32Array;
  /** For `tf.loadLayersModel(tf.io.fromMemory(artifacts))`. */
  readonly artifacts: ModelArtifacts;
}

/**
 * Reads a model written by {@link writeModel}. `path`: a run directory, its model directory, or `runs/latest`.
 *
 * Every file is compared with the size and SHA-256 in `gradwire.json`. `recipe` is returned as it stands: validate it.
 * Throws `GradwireError` DATA_NOT_FOUND (nothing there) or FILE_CORRUPT (torn, damaged, other version).
 *
 * @example
 * const { weights, classNames } = await readModel('runs/latest');
 */
export async function readModel(path: string): Promise<StoredModel> {
  const directory = await findModel(path);
  const manifestPath = join(directory, modelFiles.manifest);
  const manifest = parseManifest(await readBytes(manifestPath), manifestPath);
  const files = new Map<string, Uint8Array>();
  // All of them, also the safetensors form: a model is whole or refused.
  for (const name of Object.keys(manifest.files))
    files.set(name, await readChecked(directory, name, manifest));
  const weights = new Float32Array(new Uint8Array(files.get(modelFiles.weights) as Uint8Array).buffer);
  const found = weightsSha256(weights);
  if (found !== manifest.weightsSha256) {
    throw corrupt(
      join(directory, modelFiles.weights),
      `weights with SHA-256 ${manifest.weightsSha256}`,
      found,
    );
  }
  const topologyPath = join(directory, modelFiles.topology);
  const topology = parseTopology(files.get(modelFiles.topology) as Uint8Array, topologyPath);
  return { ...manifest, directory, weights, artifacts: toArtifacts(topology, weights) };
}

function toArtifacts(topology: TopologyFile, weights: Float32Array): ModelArtifacts {
  return {
    modelTopology: topology.modelTopology,
    weightSpecs: topology.weightsManifest[0].weights,
    weightData: weights.slice().buffer,
    ...(topology.generatedBy === undefined ? {} : { generatedBy: topology.generatedBy }),
  };
}

async function readChecked(directory: string, name: string, manifest: ModelManifest): Promise<Uint8Array> {
  const path = join(directory, name);
  const bytes = await readBytes(path);
  const expected = manifest.files[name];
  if (bytes.length !== expected?.bytes) throw corrupt(path, `${expected?.bytes} bytes`, `${bytes.length}`);
  const found = sha256(bytes);
  if (found !== expected.sha256) throw corrupt(path, `SHA-256 ${expected.sha256}`, found);
  return bytes;
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new GradwireError(
      'FILE_CORRUPT',
      `${path}: expected a readable file, found ${toError(cause).message}`,
      {
        cause,
        hint: repair,
      },
    );
  }
}

const repair = 'The model is damaged: copy it again, or repeat the run.';

function corrupt(path: string, expected: string, found: string): GradwireError {
  return new GradwireError('FILE_CORRUPT', `${path}: expected ${expected}, found ${found}`, { hint: repair });
}
