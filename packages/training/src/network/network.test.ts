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
  expect(metrics[0]).toBeCloseTo(lossSum(task, logits, batch.targets, dLogits), 4);
  const largest = gradient.reduce((max, g) => Math.max(max, Math.abs(g)), 0);
  expect(largest).toBeGreaterThan(0.01);
  for (const [i, value] of gradient.entries()) {
    const expected = referenceDerivative(model, { weights, batch, dLogits }, i);
    expect(Math.abs(value - expected) / largest).toBeLessThan(1e-5);
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

type Tensors = { kernel: Float64Array; bias: Float64Array };

function referenceLayer(
  { layer, inputShape, outputShape }: ResolvedLayer,
  x: number[],
  own: Tensors,
): number[] {
  if (layer.type === 'flatten') return x;
  const [height, width, channels] = inputShape as [number, number, number];
  const size = outputShape.reduce((a, b) => a * b, 1);
  const outputs = outputShape.at(-1) as number;
  return Array.from({ length: size }, (_, position) => {
    const k = position % outputs;
    const at = (row: number, column: number, c: number): number | undefined =>
      row >= 0 && row < height && column >= 0 && column < width
        ? x[(row * width + column) * channels + c]
        : undefined;
    if (layer.type === 'dense') {
      return activated(
        layer,
        x.reduce(
          (sum, value, i) => sum + value * (own.kernel[i * outputs + k] as number),
          own.bias[k] as number,
        ),
      );
    }
    const spot = Math.floor(position / outputs);
    const [top, left] = [
      Math.floor(spot / (outputShape[1] as number)),
      spot % (outputShape[1] as number),
    ].map(
      (index, axis) =>
        index * layer.strides - before(layer, inputShape[axis] as number, outputShape[axis] as number),
    ) as [number, number];
    const window = layer.type === 'conv2d' ? layer.kernelSize : layer.poolSize;
    let sum = layer.type === 'conv2d' ? (own.bias[k] as number) : Number.NEGATIVE_INFINITY;
    for (let i = 0; i < window * window; i += 1) {
      const [row, column] = [top + Math.floor(i / window), left + (i % window)];
      if (layer.type === 'maxPooling2d') sum = Math.max(sum, at(row, column, k) ?? Number.NEGATIVE_INFINITY);
      else
        for (let c = 0; c < channels; c += 1)
          sum += (at(row, column, c) ?? 0) * (own.kernel[(i * channels + c) * outputs + k] as number);
    }
    return activated(layer, sum);
  });
}

/** Rows of padding before the first, as TensorFlow defines 'same'. */
function before(layer: Extract<CompleteLayer, { strides: number }>, input: number, output: number): number {
  const window = layer.type === 'conv2d' ? layer.kernelSize : layer.poolSize;
  return layer.padding === 'valid'
    ? 0
    : Math.floor(Math.max((output - 1) * layer.strides + window - input, 0) / 2);
}

function activated(layer: CompleteLayer, x: number): number {
  return 'activation' in layer && layer.activation === 'relu' ? Math.max(x, 0) : x;
}
