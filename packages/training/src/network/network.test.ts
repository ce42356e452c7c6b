import { prepareBackend } from '@gradwire/backend';
import type { CompleteLayer, LayerSpec, ModelSpec, ResolvedLayer, TaskSpec } from '@gradwire/models';
import { lossSum, outputUnits, parameterLayout, resolveLayers, withOutputs } from '@gradwire/models';
import { targets } from '@gradwire/preprocess';
import { uniform } from '@gradwire/random';
import { beforeAll, expect, test } from 'vitest';
import type { Batch } from '../index.ts';
import { createTrainer } from '../index.ts';

beforeAll(async () => {
  await prepareBackend('wasm');
});

const flatten = { type: 'flatten' } as const;
const dense = { type: 'dense', units: 4 } as const;
const hidden = { type: 'dense', units: 6, activation: 'relu' } as const;
const conv = { type: 'conv2d', filters: 3, kernelSize: 3, activation: 'relu' } as const;
const pool = { type: 'maxPooling2d', poolSize: 2 } as const;

const networks: [string, number[], LayerSpec[]][] = [
  ['convolution, pool, dense', [9, 8, 2], [conv, pool, flatten, hidden, dense]],
  ['two convolutions', [12, 12, 1], [conv, pool, { ...conv, filters: 4 }, pool, flatten, dense]],
  [
    'same padding, odd sides',
    [7, 5, 1],
    [{ ...conv, padding: 'same' }, { ...pool, padding: 'same' }, flatten, dense],
  ],
  [
    'strides',
    [9, 9, 1],
    [{ ...conv, strides: 2 }, { ...conv, kernelSize: 2, activation: 'linear' }, flatten, dense],
  ],
  [
    'overlapping pool',
    [6, 6, 2],
    [conv, { ...pool, poolSize: 3, strides: 1, padding: 'same' }, flatten, dense],
  ],
  ['pool alone', [8, 8, 2], [pool, conv, flatten, dense]],
  ['dense only', [3, 2], [flatten, hidden, hidden, dense]],
];

const tasks: TaskSpec[] = [
  { type: 'multiclass', classes: 4 },
  { type: 'multilabel', classes: 4 },
  { type: 'binary', positive: [1] },
];

const cases = networks.flatMap(([name, inputShape, layers]) =>
  tasks.map((task) => ({ name, type: task.type, task, model: { name, inputShape, layers } })),
);

test.each(cases)('$name, $type: loss and gradient agree with float64 finite differences', (example) => {
  const { task } = example;
  const model = withOutputs(example.model, outputUnits(task));
  const batch = randomBatch(model, task);
  const weights = Float32Array.from(draw(1, parameterLayout(model).size, 0.5));
  const trainer = createTrainer({ recipe: { model, task, seed: 5 } });
  trainer.setWeights(weights);
  const { gradient, metrics } = trainer.gradient(batch);
  trainer.dispose();

  const logits = Float32Array.from(referenceLogits(model, Float64Array.from(weights), batch));
  const dLogits = new Float32Array(logits.length);
  expect(metrics[0]).toBeCloseTo(lossSum(task, { logits, targets: batch.targets, gradient: dLogits }), 4);
  const largest = gradient.reduce((max, g) => Math.max(max, Math.abs(g)), 0);
  expect(largest).toBeGreaterThan(0.01);
  // Every parameter's first and last element, and some hundred in between.
  const spread = Array.from({ length: 100 }, (_, i) => Math.floor((i * weights.length) / 100));
  const ends = parameterLayout(model).parameters.flatMap(({ offset, size }) => [offset, offset + size - 1]);
  for (const i of new Set([...spread, ...ends])) {
    const expected = referenceDerivative(model, { weights, batch, dLogits }, i);
    expect(Math.abs((gradient[i] as number) - expected) / largest).toBeLessThan(1e-5);
  }
});

function draw(stream: number, count: number, limit: number): Float64Array {
  return uniform({ seed: 17, stream: 'probe', a: stream }, count, { low: -limit, high: limit });
}

function randomBatch(model: ModelSpec, task: TaskSpec): Batch {
  const count = 3;
  const size = model.inputShape.reduce((product, side) => product * side, count);
  const labels = new Uint8Array([2, 0, 1]);
  return { features: Float32Array.from(draw(2, size, 1)), targets: targets(labels, task), labels, count };
}

/** Central difference of `logits . dLogits`: the chain rule leaves only the network to differentiate. */
function referenceDerivative(
  model: ModelSpec,
  at: { weights: Float32Array; batch: Batch; dLogits: Float32Array },
  index: number,
): number {
  const step = 1e-6;
  const value = (sign: number): number => {
    const weights = Float64Array.from(at.weights);
    weights[index] = (weights[index] as number) + sign * step;
    return referenceLogits(model, weights, at.batch).reduce(
      (sum, x, i) => sum + x * (at.dLogits[i] as number),
      0,
    );
  };
  return (value(1) - value(-1)) / (2 * step);
}

/** The network by its definition, in double precision, without tfjs. */
function referenceLogits(model: ModelSpec, weights: Float64Array, batch: Batch): number[] {
  const size = batch.features.length / batch.count;
  return Array.from({ length: batch.count }, (_, i) =>
    batch.features.subarray(i * size, (i + 1) * size),
  ).flatMap((sample) => {
    let offset = 0;
    return resolveLayers(model).reduce((x, resolved) => {
      const [kernelSize = 0, biasSize = 0] = resolved.parameters.map((p) =>
        p.shape.reduce((a, b) => a * b, 1),
      );
      const kernel = weights.subarray(offset, offset + kernelSize);
      const bias = weights.subarray(offset + kernelSize, offset + kernelSize + biasSize);
      offset += kernelSize + biasSize;
      return referenceLayer(resolved, [...x], { kernel, bias });
    }, Array.from(sample));
  });
}

interface OwnWeights {
  kernel: Float64Array;
  bias: Float64Array;
}

function referenceLayer(resolved: ResolvedLayer, x: number[], own: OwnWeights): number[] {
  const { layer, outputShape } = resolved;
  if (layer.type === 'flatten') return x;
  const outputs = outputShape.at(-1) as number;
  const values =
    layer.type === 'dense'
      ? Array.from({ length: outputs }, (_, k) => dot(x, { ...own, outputs }, k))
      : [...windowsOf(resolved, x)].flatMap((window) =>
          Array.from({ length: outputs }, (_, k) => {
            if (layer.type === 'conv2d')
              return dot(
                window.map((value) => value ?? 0),
                { ...own, outputs },
                k,
              );
            return Math.max(
              ...(window.filter((value, i) => value !== undefined && i % outputs === k) as number[]),
            );
          }),
        );
  const isRelu = 'activation' in layer && layer.activation === 'relu';
  return isRelu ? values.map((value) => Math.max(value, 0)) : values;
}

/** `bias_k + sum_i x_i kernel_ik`: a dense layer, and a convolution on the values of one window. */
function dot(x: number[], { kernel, bias, outputs }: OwnWeights & { outputs: number }, k: number): number {
  return x.reduce((sum, value, i) => sum + value * (kernel[i * outputs + k] as number), bias[k] as number);
}

/** The values that each output pixel sees, row by row, channels last; undefined in the padding. */
function* windowsOf(
  { layer, inputShape, outputShape }: ResolvedLayer,
  x: number[],
): Generator<(number | undefined)[]> {
  if (layer.type !== 'conv2d' && layer.type !== 'maxPooling2d') return;
  const [height, width, channels] = inputShape as [number, number, number];
  const [rows, columns] = outputShape as [number, number, number];
  const side = layer.type === 'conv2d' ? layer.kernelSize : layer.poolSize;
  for (let pixel = 0; pixel < rows * columns; pixel += 1) {
    const top = Math.floor(pixel / columns) * layer.strides - padding(layer, height, rows);
    const left = (pixel % columns) * layer.strides - padding(layer, width, columns);
    yield Array.from({ length: side * side * channels }, (_, i) => {
      const row = top + Math.floor(i / (side * channels));
      const column = left + (Math.floor(i / channels) % side);
      const isInside = row >= 0 && row < height && column >= 0 && column < width;
      return isInside ? x[(row * width + column) * channels + (i % channels)] : undefined;
    });
  }
}

/** Padding before the first pixel, as TensorFlow defines 'same'. */
function padding(
  layer: Extract<CompleteLayer, { type: 'conv2d' | 'maxPooling2d' }>,
  input: number,
  output: number,
): number {
  if (layer.padding === 'valid') return 0;
  const side = layer.type === 'conv2d' ? layer.kernelSize : layer.poolSize;
  return Math.floor(Math.max((output - 1) * layer.strides + side - input, 0) / 2);
}
