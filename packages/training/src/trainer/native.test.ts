import { prepareBackend, probeBackends } from '@gradwire/backend';
import type { ModelSpec } from '@gradwire/models';
import { initialWeights, mlp, mnistCnn, mnistCnnSmall } from '@gradwire/models';
import { targets } from '@gradwire/preprocess';
import { uniform } from '@gradwire/random';
import { memory } from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import type { GradientSum, Trainer } from '../index.ts';
import { createTrainer } from '../index.ts';

const native = (await probeBackends()).find(({ name }) => name === 'native');
const task = { type: 'multiclass', classes: 10 } as const;

async function gradientOn(
  backend: 'wasm' | 'native',
  model: ModelSpec,
): Promise<GradientSum & { trainer: Trainer }> {
  await prepareBackend(backend);
  const trainer = createTrainer({ recipe: { model, task, seed: 1 } });
  trainer.setWeights(initialWeights(model, 1));
  const count = 16;
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 10);
  const features = Float32Array.from(uniform({ seed: 2, stream: 'probe' }, count * 784));
  // Like a picture's background: windows of equal pixels, where the maximum is a tie.
  for (let i = 0; i < features.length; i += 1) if (i % 28 < 10) features[i] = 0;
  const tensors = memory().numTensors;
  const result = trainer.gradient({ features, targets: targets(labels, task), labels, count });
  expect(memory().numTensors).toBe(tensors);
  return { ...result, trainer };
}

test.runIf(native?.ok).each([mnistCnn, mnistCnnSmall, mlp])(
  '$name: wasm and native agree to 1e-4',
  async (model) => {
    const wasm = await gradientOn('wasm', model);
    const other = await gradientOn('native', model);
    expect(other.metrics[0]).toBeCloseTo(wasm.metrics[0] as number, 3);
    expect(other.metrics[1]).toBe(wasm.metrics[1]);
    for (const { offset, size } of wasm.trainer.layout.parameters) {
      const [a, b] = [wasm, other].map(({ gradient }) => gradient.subarray(offset, offset + size));
      const largest = a?.reduce((max, g) => Math.max(max, Math.abs(g)), 0) as number;
      for (const [i, g] of a?.entries() ?? [])
        expect(Math.abs(g - (b?.[i] as number)) / largest).toBeLessThan(1e-4);
    }
    wasm.trainer.dispose();
    other.trainer.dispose();
  },
);

test.skipIf(native?.ok)(`native: skipped, ${native?.reason}`, () => {
  expect(native?.reason).toBeTruthy();
});
