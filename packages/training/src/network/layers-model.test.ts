import { prepareBackend } from '@gradwire/backend';
import type { TaskSpec } from '@gradwire/models';
import { targets } from '@gradwire/preprocess';
import { uniform } from '@gradwire/random';
import type { Scalar, Tensor, Tensor2D, Variable } from '@tensorflow/tfjs-core';
import {
  io,
  losses,
  memory,
  Reduction,
  softmax,
  tensor,
  tensor2d,
  tidy,
  variableGrads,
} from '@tensorflow/tfjs-core';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { input, layers, loadLayersModel, model as functional, sequential } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Batch } from '../index.ts';
import { createTrainer } from '../index.ts';
import { fuse } from './fuse.ts';
import { graphOfModel } from './graph-of-model.ts';

beforeAll(async () => {
  await prepareBackend('wasm');
});

type Layer = layers.Layer;

const task: TaskSpec = { type: 'multiclass', classes: 5 };
const position = { step: 3, shard: 1 };
const count = 6;

function chain(inputShape: number[], ...rest: Layer[]): LayersModel {
  const made = sequential();
  made.add(layers.inputLayer({ inputShape }));
  for (const layer of rest) made.add(layer);
  return made;
}

function graph(shape: number[], build: (x: SymbolicTensor) => SymbolicTensor): LayersModel {
  const x = input({ shape });
  return functional({ inputs: x, outputs: build(x) });
}

function apply(x: SymbolicTensor | SymbolicTensor[], ...rest: Layer[]): SymbolicTensor {
  let value = x;
  for (const layer of rest) value = layer.apply(value) as SymbolicTensor;
  return value as SymbolicTensor;
}

const { conv2d, depthwiseConv2d, dense, flatten, maxPooling2d, averagePooling2d, activation } = layers;
const bn = (settings: object = {}): Layer => layers.batchNormalization({ momentum: 0.5, ...settings });
// The usual one (orthogonal) needs operations as methods of tensors, which only the whole of tfjs has.
const zeros = { recurrentInitializer: 'zeros' } as const;
const head = (): Layer => dense({ units: 5 });
const conv = (settings: object = {}): Layer =>
  conv2d({ filters: 4, kernelSize: 3, activation: 'relu', ...settings });

/** Builds the model; and which layers each group should hold (plain ones in capitals). */
const models: Record<string, [build: () => LayersModel, groups?: string]> = {
  'convolution, pool, dense': [
    () =>
      chain(
        [9, 8, 2],
        conv(),
        maxPooling2d({ poolSize: 2 }),
        flatten(),
        dense({ units: 7, activation: 'tanh' }),
        head(),
      ),
    'conv2d+maxPooling2d reshape dense dense',
  ],
  'convolution, batch norm, relu, pool': [
    () =>
      chain(
        [9, 7, 2],
        conv({ activation: 'linear', padding: 'same' }),
        bn(),
        activation({ activation: 'relu' }),
        maxPooling2d({ poolSize: 2, padding: 'same' }),
        flatten(),
        head(),
      ),
    'conv2d+batchNormalization+activation+maxPooling2d reshape dense',
  ],
  'pool before activation, no bias, uneven strides': [
    () =>
      chain(
        [11, 9, 3],
        conv2d({ filters: 3, kernelSize: [3, 2], strides: [2, 1], useBias: false }),
        maxPooling2d({ poolSize: [2, 3], strides: [1, 2] }),
        layers.reLU({ maxValue: 6 }),
        flatten(),
        head(),
      ),
    'conv2d+maxPooling2d+activation reshape dense',
  ],
  'depthwise and pointwise': [
    () =>
      chain(
        [10, 9, 3],
        depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, padding: 'same', strides: 2, useBias: false }),
        bn(),
        layers.reLU(),
        conv({ kernelSize: 1, activation: 'sigmoid' }),
        maxPooling2d({ poolSize: 2 }),
        averagePooling2d({ poolSize: 2, strides: 1, padding: 'same' }),
        layers.globalAveragePooling2d({}),
        head(),
      ),
    'depthwiseConv2d+batchNormalization+activation conv2d maxPooling2d averagePooling2d globalAveragePooling2d dense',
  ],
  'batch norm at the start, on vectors, and after relu': [
    () =>
      chain(
        [3, 4],
        bn(),
        flatten(),
        dense({ units: 8, activation: 'relu' }),
        bn(),
        dense({ units: 6 }),
        bn(),
        head(),
      ),
    'batchNormalization reshape dense batchNormalization dense+batchNormalization dense',
  ],
  'residual branches': [
    () =>
      graph([8, 8, 2], (x) => {
        const stem = apply(x, conv({ padding: 'same' }));
        const left = apply(stem, conv({ padding: 'same', activation: 'linear' }), bn());
        const sum = apply([left, stem], layers.add(), layers.reLU(), maxPooling2d({ poolSize: 2 }));
        const right = apply(sum, conv({ kernelSize: 1, activation: 'elu' }));
        const both = apply([sum, right, sum], layers.concatenate());
        return apply(both, layers.globalAveragePooling2d({}), head());
      }),
    'conv2d conv2d+batchNormalization add activation+maxPooling2d conv2d concatenate globalAveragePooling2d dense',
  ],
  'layers that no block knows': [
    () =>
      graph([7, 6, 2], (x) => {
        const y = apply(x, layers.zeroPadding2d({ padding: 1 }), conv({ activation: 'selu' }));
        const z = apply(
          y,
          layers.layerNormalization(),
          layers.leakyReLU(),
          layers.separableConv2d({ filters: 3, kernelSize: 2 }),
        );
        const gate = apply(
          y,
          layers.globalMaxPooling2d({}),
          dense({ units: 3, activation: 'hardSigmoid' }),
          layers.reshape({ targetShape: [1, 1, 3] }),
        );
        return apply(apply([z, gate], layers.multiply()), flatten(), layers.prelu(), head());
      }),
    'PLAIN PLAIN PLAIN PLAIN PLAIN PLAIN PLAIN reshape PLAIN reshape PLAIN dense',
  ],
  'a layer used twice': [
    () =>
      graph([6, 6, 2], (x) => {
        const shared = conv2d({ filters: 2, kernelSize: 3, padding: 'same', activation: 'relu' });
        const norm = bn();
        return apply(apply(apply(x, shared, norm), shared, norm), flatten(), head());
      }),
  ],
  'models as layers': [
    () => {
      const inner = chain([6, 6, 2], conv({ padding: 'same' }), bn());
      const nested = graph([6, 6, 2], (x) =>
        apply(
          [inner.apply(x) as SymbolicTensor, inner.apply(apply(x, layers.reLU())) as SymbolicTensor],
          layers.add(),
        ),
      );
      return chain([6, 6, 2], nested, flatten(), head());
    },
  ],
  'sequences with a mask': [
    () =>
      chain(
        [7],
        layers.embedding({ inputDim: 10, outputDim: 4, maskZero: true }),
        layers.timeDistributed({ layer: dense({ units: 4, activation: 'tanh' }) }),
        layers.gru({ units: 5, ...zeros }),
        head(),
      ),
  ],
  'one-dimensional convolution': [
    () =>
      chain(
        [12, 3],
        layers.conv1d({ filters: 4, kernelSize: 3, activation: 'relu' }),
        layers.maxPooling1d({ poolSize: 2 }),
        layers.bidirectional({ layer: layers.lstm({ units: 3, ...zeros }) as never, mergeMode: 'concat' }),
        head(),
      ),
  ],
};

function batchFor({ inputs }: LayersModel, seed = 1): Batch {
  const length = (inputs[0]?.shape.slice(1) as number[]).reduce((product, side) => product * side, count);
  const values = uniform({ seed, stream: 'probe' }, length, { low: -1, high: 1 });
  // Whole numbers for an embedding.
  const isIndex = inputs[0]?.shape.length === 2;
  const features = Float32Array.from(values, (value) => (isIndex ? Math.floor((value + 1) * 3) : value));
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 5);
  return { features, targets: targets(labels, task), labels, count };
}

/** Other values than those of the initialisers, whose zeros hide faults. */
function shake(made: LayersModel): void {
  for (const [i, weight] of made.weights.entries()) {
    const { size, shape } = weight.read();
    const isVariance = weight.originalName.endsWith('moving_variance');
    const range = isVariance ? { low: 0.5, high: 1.5 } : { low: -0.5, high: 0.5 };
    const values = Float32Array.from(uniform({ seed: 4, stream: 'probe', a: i }, size, range));
    tidy(() => void weight.write(tensor(values, shape)));
  }
}

/** By tape over the whole model: loss sum, gradients by weight, and the statistics of batch normalisation. */
function reference(
  made: LayersModel,
  batch: Batch,
  { training = true } = {},
): { loss: number; gradients: Map<string, Float32Array> } {
  const shape = [count, ...(made.inputs[0]?.shape.slice(1) as number[])];
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

function predicted(made: LayersModel, batch: Batch): Float32Array {
  const shape = [count, ...(made.inputs[0]?.shape.slice(1) as number[])];
  return tidy(() => softmax(made.predict(tensor(batch.features, shape)) as Tensor).dataSync<'float32'>());
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - (b[i] as number))), 0);
}

function largest(a: Float32Array): number {
  return a.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
}

const applyTwice = new Set(['a layer used twice', 'models as layers']);

function fusedGroups(made: LayersModel): string {
  const names = fuse(graphOfModel(made, task).layers).map((group) =>
    group.layers.map(({ operation: { type } }) => (type === 'plain' ? 'PLAIN' : type)).join('+'),
  );
  return names.join(' ');
}

describe.each(Object.entries(models))('%s', (name, [build, groups]) => {
  test('gradients and answers are those of the whole model by tape', () => {
    const made = build();
    shake(made);
    const batch = batchFor(made);
    const trainer = createTrainer({ model: made, task, seed: 2 });
    const tensors = memory().numTensors;
    const { gradient, metrics } = trainer.gradient(batch);
    const answers = trainer.predict(batch.features, count);
    expect(memory().numTensors).toBe(tensors);

    expect(largestDifference(answers, predicted(made, batch))).toBeLessThan(1e-5);
    const { loss, gradients } = reference(made, batch);
    expect((metrics[0] as number) / loss).toBeCloseTo(1, 5);
    expect(trainer.layout.parameters.map((parameter) => parameter.name).sort()).toEqual(
      [...gradients.keys()].sort(),
    );
    const all = largest(Float32Array.from([...gradients.values()].map(largest)));
    for (const { name: parameter, offset, size } of trainer.layout.parameters) {
      const expected = gradients.get(parameter) as Float32Array;
      // tfjs moves the averages at each use.
      if (applyTwice.has(name) && parameter.includes('moving')) continue;
      // Before batch normalisation the gradient of a bias is zero but for roundings.
      const scale = largest(expected) < 1e-5 * all ? all : largest(expected);
      expect(
        largestDifference(gradient.subarray(offset, offset + size), expected) / scale,
        parameter,
      ).toBeLessThan(1e-5);
    }
  });

  test.runIf(groups)('is fused as expected', () => {
    expect(fusedGroups(build())).toBe(groups);
  });
});

test('batch norm along another axis is what it is along the last one', () => {
  // Not by tape: the wasm backend of tfjs gives wrong values for this axis.
  const along = chain(
    [5, 6, 3],
    conv(),
    bn({ axis: 1 }),
    activation({ activation: 'elu' }),
    flatten(),
    head(),
  );
  const turned = chain(
    [5, 6, 3],
    conv(),
    layers.permute({ dims: [3, 2, 1] }),
    bn(),
    layers.permute({ dims: [3, 2, 1] }),
    activation({ activation: 'elu' }),
    flatten(),
    head(),
  );
  const results = [along, turned].map((made) => {
    shake(made);
    const trainer = createTrainer({ model: made, task, seed: 2 });
    const batch = batchFor(made);
    return [trainer.gradient(batch).gradient, trainer.predict(batch.features, count)] as const;
  });
  const [[first, firstAnswers], [second, secondAnswers]] = results as [Result, Result];
  expect(largestDifference(first, second) / largest(first)).toBeLessThan(1e-6);
  expect(largestDifference(firstAnswers, secondAnswers)).toBeLessThan(1e-6);
  const blocks = createTrainer({ model: along, task, seed: 2 }).blocks;
  expect(blocks.map(({ path }) => path)).toEqual(['block', 'block', 'block', 'block', 'block']);
  expect(blocks[1]?.layers).toEqual([along.layers[2]?.name]);
  expect(fusedGroups(along)).toBe('conv2d batchNormalization activation reshape dense');
});

type Result = readonly [Float32Array, Float32Array];

const ends: [TaskSpec, Layer[]][] = [
  [task, [dense({ units: 5, activation: 'softmax' })]],
  [task, [dense({ units: 5 }), layers.softmax()]],
  [task, [dense({ units: 5 }), activation({ activation: 'softmax' })]],
  [{ type: 'multilabel', classes: 5 }, [dense({ units: 5, activation: 'sigmoid' })]],
  [{ type: 'binary', positive: [2] }, [dense({ units: 1, activation: 'sigmoid' })]],
];

test.each(ends)(
  'a model that ends in probabilities, %#: they are what it predicts, and what it is saved as',
  async (its, last) => {
    const made = chain([4, 4, 1], flatten(), ...last);
    const trainer = createTrainer({ model: made, task: its, seed: 1 });
    const features = batchFor(made).features;
    const expected = tidy(() =>
      (made.predict(tensor(features, [count, 4, 4, 1])) as Tensor).dataSync<'float32'>(),
    );
    expect(largestDifference(trainer.predict(features, count), expected)).toBeLessThan(1e-6);
    const saved = await loadLayersModel(io.fromMemory(trainer.modelArtifacts()));
    const again = tidy(() =>
      (saved.predict(tensor(features, [count, 4, 4, 1])) as Tensor).dataSync<'float32'>(),
    );
    expect(again).toEqual(expected);
  },
);

test('the model holds the weights that were set last', () => {
  const made = chain([3], dense({ units: 5 }));
  const trainer = createTrainer({ model: made, task, seed: 1 });
  const before = memory().numTensors;
  const weights = Float32Array.from({ length: 20 }, (_, i) => i);
  trainer.setWeights(weights);
  expect(made.weights.flatMap((weight) => [...weight.read().dataSync()])).toEqual([...weights]);
  expect(trainer.initialWeights()).toEqual(weights);
  trainer.dispose();
  expect(memory().numTensors).toBe(before);
  expect(() => trainer.setWeights(new Float32Array(3))).toThrow(/expected length 20, found 3/);
});

test('frozen layers are constants; a frozen batch normalisation uses its moving averages', () => {
  const build = (trainable: boolean): LayersModel => {
    const made = chain(
      [6, 6, 1],
      conv({ activation: 'linear', trainable }),
      bn({ trainable }),
      layers.reLU(),
      flatten(),
      head(),
    );
    shake(made);
    return made;
  };
  const [made, free] = [build(false), build(true)];
  const trainer = createTrainer({ model: made, task, seed: 1 });
  expect(trainer.layout.parameters.map(({ name }) => name.split('/').at(-1))).toEqual(['kernel', 'bias']);
  const batch = batchFor(made);
  const { gradient } = trainer.gradient(batch);
  // By tape, with the layers in their evaluation mode.
  const { gradients } = reference(made, batch, { training: false });
  for (const { name, offset, size } of trainer.layout.parameters) {
    const expected = gradients.get(name) as Float32Array;
    expect(
      largestDifference(gradient.subarray(offset, offset + size), expected) / largest(expected),
    ).toBeLessThan(1e-5);
  }
  const other = createTrainer({ model: free, task, seed: 1 }).gradient(batch).gradient;
  expect(largestDifference(other.slice(-gradient.length), gradient)).toBeGreaterThan(0.01);
});

const random: [string, () => Layer[]][] = [
  ['dropout', () => [layers.dropout({ rate: 0.4 })]],
  ['dropout of whole maps', () => [layers.dropout({ rate: 0.4, noiseShape: [null, 1, 1, 4] as never })]],
  ['noise, which no block knows', () => [layers.gaussianNoise({ stddev: 0.5 })]],
];

test.each(random)('%s: keyed by position, the same forward and backward, off at evaluation', (_, make) => {
  const made = chain([6, 6, 2], conv(), ...make(), flatten(), head());
  shake(made);
  const plain = chain([6, 6, 2], conv(), flatten(), head());
  plain.setWeights(made.getWeights());
  const batch = batchFor(made);
  const trainer = createTrainer({ model: made, task, seed: 7 });
  const without = createTrainer({ model: plain, task, seed: 7 });
  expect(() => trainer.gradient(batch)).toThrow(TypeError);
  const { gradient, metrics } = trainer.gradient(batch, position);
  expect(trainer.gradient(batch, position).gradient).toEqual(gradient);
  for (const elsewhere of [
    { step: 4, shard: 1 },
    { step: 3, shard: 2 },
  ]) {
    expect(trainer.gradient(batch, elsewhere).gradient).not.toEqual(gradient);
  }
  expect(createTrainer({ model: made, task, seed: 8 }).gradient(batch, position).gradient).not.toEqual(
    gradient,
  );
  expect(trainer.predict(batch.features, count)).toEqual(without.predict(batch.features, count));

  // The loss that was measured falls along the gradient that was computed: both saw the same random numbers.
  const weights = trainer.initialWeights();
  const step = 1e-3 / gradient.reduce((sum, g) => sum + g * g, 0);
  trainer.setWeights(weights.map((weight, i) => weight - step * (gradient[i] as number)));
  const { metrics: after } = trainer.gradient(batch, position);
  expect((metrics[0] as number) - (after[0] as number)).toBeCloseTo(1e-3, 4);
});

const refused: [string, () => LayersModel, RegExp][] = [
  [
    'other outputs',
    () => chain([3], dense({ units: 4 })),
    /outputs: expected shape \[5\] for this multiclass task, found \[4\]/,
  ],
  [
    'another activation at the end',
    () => chain([3], dense({ units: 5, activation: 'relu' })),
    /activation linear or softmax at the end .*, found relu/,
  ],
  [
    'the activation of another task',
    () => chain([3], dense({ units: 5, activation: 'sigmoid' })),
    /linear or softmax at the end .*, found sigmoid/,
  ],
  [
    'an open side',
    () => graph([null as never, 3], (x) => apply(x, layers.globalAveragePooling1d(), head())),
    /inputs: expected known sides/,
  ],
  [
    'a state',
    () =>
      sequential({
        layers: [layers.simpleRNN({ units: 5, stateful: true, batchInputShape: [6, 4, 2], ...zeros })],
      }),
    /keeps a state/,
  ],
];

test.each(refused)('a model with %s is refused', (_, build, message) => {
  expect(() => createTrainer({ model: build(), task, seed: 1 })).toThrow(
    expect.objectContaining({ code: 'RECIPE_INVALID', message: expect.stringMatching(message) }),
  );
});

test('a layer that changes its own weights is refused when it runs', () => {
  const made = chain([3, 2], layers.timeDistributed({ layer: bn() }), flatten(), head());
  const trainer = createTrainer({ model: made, task, seed: 1 });
  expect(() => trainer.gradient(batchFor(made))).toThrow(/changes its own weights/);
});

test('a batch normalisation that is used twice reports the mean of its statistics', () => {
  const norm = bn();
  const made = graph([4], (x) =>
    apply(apply([apply(x, norm), apply(apply(x, layers.reLU()), norm)], layers.concatenate()), head()),
  );
  const batch = batchFor(made);
  const trainer = createTrainer({ model: made, task, seed: 1 });
  const { gradient } = trainer.gradient(batch);
  const { offset } = trainer.layout.parameters.find(({ name }) => name.endsWith('moving_mean')) as {
    offset: number;
  };
  const mean = (cut: boolean, c: number): number => {
    const values = Array.from({ length: count }, (_, i) => batch.features[4 * i + c] as number);
    return values.reduce((sum, value) => sum + (cut ? Math.max(value, 0) : value), 0) / count;
  };
  for (const c of [0, 1, 2, 3]) {
    expect(gradient[offset + c]).toBeCloseTo((count * (mean(false, c) + mean(true, c))) / 2, 4);
  }
});
