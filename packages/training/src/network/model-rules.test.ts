import { prepareBackend } from '@gradwire/backend';
import type { TaskSpec } from '@gradwire/models';
import type { Tensor } from '@tensorflow/tfjs-core';
import { io, memory, tensor, tidy } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { layers, loadLayersModel, sequential } from '@tensorflow/tfjs-layers';
import { beforeAll, expect, test } from 'vitest';
import { createTrainer } from '../index.ts';
import type { Layer } from './test-support.ts';
import {
  apply,
  batchFor,
  bn,
  chain,
  conv,
  count,
  graph,
  head,
  largest,
  largestDifference,
  reference,
  shake,
  task,
  position,
  zeros,
} from './test-support.ts';

beforeAll(async () => {
  await prepareBackend('wasm');
});

const { activation, dense, flatten } = layers;

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
  const [made, free] = [freezable(false), freezable(true)];
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

function freezable(trainable: boolean): LayersModel {
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
}

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
