import { prepareBackend, probeBackends } from '@gradwire/backend';
import type { LayerSpec, ModelSpec } from '@gradwire/models';
import { initialWeights, mlp, mnistCnn, mnistCnnSmall, parameterLayout } from '@gradwire/models';
import { targets } from '@gradwire/preprocess';
import { uniform } from '@gradwire/random';
import { memory } from '@tensorflow/tfjs-core';
import { afterEach, expect, test } from 'vitest';
import type { GradientSum, Trainer } from '../index.ts';
import { createTrainer } from '../index.ts';

const native = (await probeBackends()).find(({ name }) => name === 'native');
const task = { type: 'multiclass', classes: 10 } as const;

const variable = 'GRADWIRE_NATIVE_OPERATIONS';

afterEach(() => {
  delete process.env[variable];
});

async function gradientOn(
  backend: 'wasm' | 'native',
  model: ModelSpec,
): Promise<GradientSum & { trainer: Trainer }> {
  await prepareBackend(backend);
  const trainer = createTrainer({ recipe: { model, task, seed: 1 } });
  trainer.setWeights(initialWeights(model, 1));
  const count = 16;
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 10);
  const size = model.inputShape.reduce((product, side) => product * side, 1);
  const features = Float32Array.from(uniform({ seed: 2, stream: 'probe' }, count * size));
  // Like a picture's background: windows of equal pixels, where the maximum is a tie.
  for (let i = 0; i < features.length; i += 1) if (i % 28 < 10) features[i] = 0;
  const tensors = memory().numTensors;
  const result = trainer.gradient({ features, targets: targets(labels, task), labels, count });
  expect(memory().numTensors).toBe(tensors);
  return { ...result, trainer };
}

/** Largest difference over largest gradient, of the worst tensor. */
function relativeError(model: ModelSpec, one: GradientSum, other: GradientSum): number {
  const errors = parameterLayout(model).parameters.map(({ offset, size }) => {
    let [difference, largest] = [0, 0];
    for (let i = offset; i < offset + size; i += 1) {
      const [a, b] = [one.gradient[i] as number, other.gradient[i] as number];
      difference = Math.max(difference, Math.abs(a - b));
      largest = Math.max(largest, Math.abs(a));
    }
    return difference / largest;
  });
  return Math.max(...errors);
}

function hasSameBits(one: GradientSum, other: GradientSum): boolean {
  const [a, b] = [one, other].map(({ gradient }) => Buffer.from(gradient.buffer));
  return Buffer.compare(a as Buffer, b as Buffer) === 0;
}

const conv = { type: 'conv2d', filters: 5, kernelSize: 3, activation: 'relu' } as const;
const pool = { type: 'maxPooling2d', poolSize: 2 } as const;
const end: LayerSpec[] = [{ type: 'flatten' }, { type: 'dense', units: 10 }];
const odd: ModelSpec = {
  name: 'odd sides, overlapping and padded windows, strides',
  inputShape: [17, 14, 2],
  layers: [
    conv,
    { ...pool, poolSize: 3, strides: 2 },
    { ...conv, padding: 'same', strides: 2, activation: 'linear' },
    { ...pool, padding: 'same' },
    ...end,
  ],
};

test.runIf(native?.ok).each([mnistCnn, mnistCnnSmall, odd, mlp])(
  '$name: with and without private operations the gradients agree to 1e-5',
  async (model) => {
    const hasOneDnn = (await prepareBackend('native')).description.includes('oneDNN');
    const fast = await gradientOn('native', model);
    process.env[variable] = 'public';
    const plain = await gradientOn('native', model);
    delete process.env[variable];
    expect(relativeError(model, plain, fast)).toBeLessThan(1e-5);
    // Other operations, other roundings: if all bits were equal, only one of both ways would have been taken.
    if (hasOneDnn && model !== mlp) expect(hasSameBits(fast, plain)).toBe(false);
    expect(fast.metrics[0]).toBeCloseTo(plain.metrics[0] as number, 4);
    const again = await gradientOn('native', model);
    expect(hasSameBits(again, fast)).toBe(true);
    for (const { trainer } of [fast, plain, again]) trainer.dispose();
  },
);

test.runIf(native?.ok)('what pooling drops is cut off: those pixels change no bit', async () => {
  await prepareBackend('native');
  const trainer = createTrainer({ recipe: { model: mnistCnn, task, seed: 1 } });
  trainer.setWeights(initialWeights(mnistCnn, 1));
  const labels = new Uint8Array([3, 1]);
  const gradientOf = (lastRow: number, lastUsed: number): GradientSum => {
    const features = Float32Array.from(uniform({ seed: 3, stream: 'probe' }, 2 * 784));
    for (let i = 0; i < 28; i += 1) {
      features[26 * 28 + i] = lastRow;
      features[25 * 28 + i] = lastUsed;
    }
    return trainer.gradient({ features, targets: targets(labels, task), labels, count: 2 });
  };
  const first = gradientOf(0, 0);
  expect(hasSameBits(gradientOf(9, 0), first)).toBe(true);
  expect(hasSameBits(gradientOf(0, 9), first)).toBe(false);
  trainer.dispose();
});

test.runIf(native?.ok).each([mnistCnn, mnistCnnSmall, mlp])(
  '$name: wasm and native agree to 1e-4',
  async (model) => {
    const wasm = await gradientOn('wasm', model);
    const other = await gradientOn('native', model);
    expect(other.metrics[0]).toBeCloseTo(wasm.metrics[0] as number, 3);
    expect(other.metrics[1]).toBe(wasm.metrics[1]);
    expect(relativeError(model, wasm, other)).toBeLessThan(1e-4);
    wasm.trainer.dispose();
    other.trainer.dispose();
  },
);

test.skipIf(native?.ok)(`native: skipped, ${native?.reason}`, () => {
  expect(native?.reason).toBeTruthy();
});
