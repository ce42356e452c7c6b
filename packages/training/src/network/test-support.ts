import type { TaskSpec } from '@gradwire/models';
import { targets } from '@gradwire/preprocess';
import { uniform } from '@gradwire/random';
import type { Scalar, Tensor, Tensor2D, Variable } from '@tensorflow/tfjs-core';
import { losses, Reduction, softmax, tensor, tensor2d, tidy, variableGrads } from '@tensorflow/tfjs-core';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { input, layers, model as functional, sequential } from '@tensorflow/tfjs-layers';
import type { Batch } from '../index.ts';
import { fuse } from './fuse.ts';
import { graphOfModel } from './graph-of-model.ts';

// What the tests of LayersModels share.

export type Layer = layers.Layer;

export const task: TaskSpec = { type: 'multiclass', classes: 5 };
export const position = { step: 3, shard: 1 };
export const count = 6;

export function chain(inputShape: number[], ...rest: Layer[]): LayersModel {
  const made = sequential();
  made.add(layers.inputLayer({ inputShape }));
  for (const layer of rest) made.add(layer);
  return made;
}

export function graph(shape: number[], build: (x: SymbolicTensor) => SymbolicTensor): LayersModel {
  const x = input({ shape });
  return functional({ inputs: x, outputs: build(x) });
}

export function apply(x: SymbolicTensor | SymbolicTensor[], ...rest: Layer[]): SymbolicTensor {
  let value = x;
  for (const layer of rest) value = layer.apply(value) as SymbolicTensor;
  return value as SymbolicTensor;
}

export const bn = (settings: object = {}): Layer => layers.batchNormalization({ momentum: 0.5, ...settings });
// The usual one (orthogonal) needs operations as methods of tensors, which only the whole of tfjs has.
export const zeros = { recurrentInitializer: 'zeros' } as const;
export const head = (): Layer => layers.dense({ units: 5 });
export const conv = (settings: object = {}): Layer =>
  layers.conv2d({ filters: 4, kernelSize: 3, activation: 'relu', ...settings });

/** Builds the model; and which layers each group should hold (plain ones in capitals). */
export function batchFor(made: LayersModel, seed = 1): Batch {
  const length = sizeOf(sampleShape(made)) * count;
  const values = uniform({ seed, stream: 'probe' }, length, { low: -1, high: 1 });
  // Whole numbers for an embedding.
  const isIndex = sampleShape(made).length === 1;
  const features = Float32Array.from(values, (value) => (isIndex ? Math.floor((value + 1) * 3) : value));
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 5);
  return { features, targets: targets(labels, task), labels, count };
}

/** Other values than those of the initialisers, whose zeros hide faults. */
export function shake(made: LayersModel): void {
  for (const [i, weight] of made.weights.entries()) {
    const { size, shape } = weight.read();
    const isVariance = weight.originalName.endsWith('moving_variance');
    const range = isVariance ? { low: 0.5, high: 1.5 } : { low: -0.5, high: 0.5 };
    const values = Float32Array.from(uniform({ seed: 4, stream: 'probe', a: i }, size, range));
    tidy(() => void weight.write(tensor(values, shape)));
  }
}

/** By tape over the whole model: loss sum, gradients by weight, and the statistics of batch normalisation. */
export function reference(
  made: LayersModel,
  batch: Batch,
  { training = true } = {},
): { loss: number; gradients: Map<string, Float32Array> } {
  const shape = [count, ...sampleShape(made)];
  const statistics = made.weights.filter(({ originalName }) => /moving_(mean|variance)$/.test(originalName));
  const before = statistics.map((weight) => weight.read().dataSync<'float32'>().slice());
  const gradients = new Map<string, Float32Array>();
  const loss = tidy(() => {
    const { value, grads } = variableGrads(
      () => {
        const logits = made.apply(tensor(batch.features, shape), { training }) as Tensor2D;
        const labels = tensor2d(batch.targets, [count, 5]);
        return losses.softmaxCrossEntropy(labels, logits, undefined, 0, Reduction.SUM) as Scalar;
      },
      made.trainableWeights.map((weight) => weight.read() as Variable),
    );
    for (const weight of made.trainableWeights) {
      gradients.set(weight.originalName, (grads[weight.name] as Tensor).dataSync<'float32'>());
    }
    for (const [i, weight] of statistics.entries()) {
      const old = before[i] as Float32Array;
      const layer = allLayers(made).find((one) => one.weights.includes(weight)) as Layer;
      const momentum = layer.getConfig()['momentum'] as number;
      const moved = weight.read().dataSync<'float32'>();
      gradients.set(
        weight.originalName,
        moved.map((value, c) => (count * (value - momentum * (old[c] as number))) / (1 - momentum)),
      );
      weight.write(tensor(old, weight.shape as number[]));
    }
    return value.dataSync<'float32'>()[0] as number;
  });
  return { loss, gradients };
}

function allLayers(made: LayersModel): Layer[] {
  return made.layers.flatMap((layer) => ('layers' in layer ? allLayers(layer as LayersModel) : [layer]));
}

export function predicted(made: LayersModel, batch: Batch): Float32Array {
  const shape = [count, ...sampleShape(made)];
  return tidy(() => softmax(made.predict(tensor(batch.features, shape)) as Tensor).dataSync<'float32'>());
}

export function largestDifference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) throw new RangeError(`${a.length} and ${b.length} values`);
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - (b[i] as number))), 0);
}

export function largest(a: Float32Array): number {
  return a.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
}

function sampleShape({ inputs }: LayersModel): number[] {
  return (inputs[0] as SymbolicTensor).shape.slice(1) as number[];
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}

/** The layers of each group, joined; plain ones in capitals. */
export function fusedGroups(made: LayersModel): string {
  const names = fuse(graphOfModel(made, task).layers).map((group) =>
    group.layers.map(({ operation: { type } }) => (type === 'plain' ? 'PLAIN' : type)).join('+'),
  );
  return names.join(' ');
}
