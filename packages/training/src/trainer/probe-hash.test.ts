import { prepareBackend } from '@gradwire/backend';
import { initialWeights, mlp, mnistCnnSmall } from '@gradwire/models';
import { expect, test } from 'vitest';
import { createTrainer, probeHash } from '../index.ts';

test('a probe hash names the numerics: equal for equal trainers, another for another network or seed', async () => {
  await prepareBackend('wasm');
  const task = { type: 'multiclass', classes: 10 } as const;
  const hash = async (model: typeof mlp, seed: number): Promise<string> => {
    const trainer = createTrainer({ recipe: { model, task, seed } });
    trainer.setWeights(initialWeights(model, 99));
    const found = await probeHash(trainer);
    trainer.dispose();
    return found;
  };
  const first = await hash(mnistCnnSmall, 1);
  expect(first).toMatch(/^[0-9a-f]{64}$/);
  expect(await hash(mnistCnnSmall, 1)).toBe(first);
  expect(new Set([first, await hash(mnistCnnSmall, 2), await hash(mlp, 1)]).size).toBe(3);
});
