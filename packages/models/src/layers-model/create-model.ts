import { io } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import type { ModelSpec, TaskSpec } from '../specs.ts';
import type { ArtifactOptions } from './artifacts.ts';
import { layersModelArtifacts } from './artifacts.ts';

/**
 * Creates the tfjs LayersModel of a network, with the given weights, on the current tfjs backend. The caller
 * disposes it.
 *
 * @param weights - flat vector in the order of `parameterLayout`, which is also the order of `model.weights`.
 *
 * @example
 * const model = await createModel({ spec: mnistCnn, task }, initialWeights(mnistCnn, 42));
 */
export async function createModel(
  model: { readonly spec: ModelSpec; readonly task: TaskSpec },
  weights: Float32Array,
  options: ArtifactOptions = {},
): Promise<LayersModel> {
  return loadLayersModel(io.fromMemory(layersModelArtifacts(model, weights, options)));
}
