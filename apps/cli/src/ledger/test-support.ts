import { createRunDirectory } from '@gradwire/checkpoint';
import { createCoordinator, type RunResult, type Splits } from '@gradwire/coordinator';
import type { Dataset } from '@gradwire/data';
import { type Recipe, recipeHash } from '@gradwire/recipes';
import type { Channel } from '@gradwire/transport';
import { startOwnThreads } from '../run/own-threads.ts';

/** Five samples a shard and step, 21 steps an epoch of which the last has 3 samples. */
export const smallRecipe: Recipe = {
  name: 'small',
  description: 'A linear model on 4 x 4 pictures.',
  dataset: 'small',
  features: { type: 'normalise' },
  model: {
    name: 'linear',
    inputShape: [4, 4, 1],
    layers: [{ type: 'flatten' }, { type: 'dense', units: 3 }],
  },
  task: { type: 'multiclass', classes: 3 },
  optimizer: { type: 'adam' },
  schedule: { type: 'constant', learningRate: 0.01 },
  batchSize: 10,
  shards: 7,
  epochs: 2,
  seed: 3,
};

/** Pictures whose brightest third tells the class. */
export const smallData: Splits = { train: split('train', 203), test: split('test', 45) };

function split(name: 'train' | 'test', count: number): Dataset {
  const labels = Uint8Array.from({ length: count }, (_, i) => (i * 7) % 3);
  const features = Uint8Array.from(
    { length: count * 16 },
    (_, i) => ((i * 2654435761) % 120) + ((i % 16) % 3 === labels[Math.floor(i / 16)] ? 120 : 0),
  );
  const shape = { sampleShape: [4, 4, 1], featureType: 'uint8', classNames: ['a', 'b', 'c'] } as const;
  return { name: 'small', split: name, count, features, labels, ...shape };
}

/**
 * Trains on one thread of this process into a new folder of `runDir`, with a snapshot every 20 steps; `over` may change
 * what the connection carries.
 */
export async function trainSmall(
  runDir: string,
  recipe: Recipe = smallRecipe,
  over: (channel: Channel) => Channel = (channel) => channel,
): Promise<RunResult> {
  const own = startOwnThreads({ backend: 'wasm', threads: 1 });
  const coordinator = await createCoordinator({
    recipe,
    recipeHash: await recipeHash(recipe),
    data: smallData,
    createDirectory: () => createRunDirectory(runDir, recipe.name),
    host: '127.0.0.1',
    port: 0,
    snapshotEvery: 20,
    onEvent: () => undefined,
  });
  try {
    void own.work({ ...coordinator, connect: () => over(coordinator.connect()) }, smallData);
    return await coordinator.done;
  } finally {
    await own.close();
    await coordinator.close();
  }
}
