import type { ParameterLayout } from '@gradwire/engine';
import type { LayersModelArtifacts } from '@gradwire/models';
import { tensor, tidy } from '#tfjs-core';
import type { LayersModel, LayerVariable } from '@tensorflow/tfjs-layers';
import type { WeightTensors } from './weight-tensors.ts';

/**
 * The weights of a LayersModel, which stay the model's own.
 *
 * @param variables - first those of the layout, in its order.
 */
export function createModelWeights(
  layout: ParameterLayout,
  variables: readonly LayerVariable[],
): WeightTensors {
  return {
    set(values) {
      if (values.length !== layout.size) {
        throw new RangeError(`weights: expected length ${layout.size}, found ${values.length}`);
      }
      const flat = values.slice();
      for (const [i, { offset, size, shape }] of layout.parameters.entries()) {
        tidy(() => void variables[i]?.write(tensor(flat.subarray(offset, offset + size), [...shape])));
      }
    },
    tensors: () => variables.map((variable) => variable.read()),
    flat() {
      const flat = new Float32Array(layout.size);
      for (const [i, { offset }] of layout.parameters.entries()) {
        flat.set(variables[i]?.read().dataSync<'float32'>() ?? [], offset);
      }
      return flat;
    },
    dispose: () => undefined,
  };
}

/** What `model.save` writes, at once. */
export function modelArtifacts(model: LayersModel): LayersModelArtifacts {
  const weights = model.weights.map((weight) => ({
    spec: { name: weight.originalName, shape: weight.shape as number[], dtype: 'float32' as const },
    values: weight.read().dataSync<'float32'>(),
  }));
  const data = new Float32Array(weights.reduce((sum, { values }) => sum + values.length, 0));
  let end = 0;
  for (const { values } of weights) {
    data.set(values, end);
    end += values.length;
  }
  return {
    modelTopology: model.toJSON(undefined, false) as object,
    weightSpecs: weights.map(({ spec }) => spec),
    weightData: data.buffer,
    format: 'layers-model',
    generatedBy: 'Gradwire',
    convertedBy: null,
  };
}
