import { createRunDirectory } from '@gradwire/checkpoint';
import { createCoordinator } from '@gradwire/coordinator';
import { encodeMessage } from '@gradwire/protocol';

const recipe = {
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
  batchSize: 20,
  shards: 7,
  epochs: 1_000_000,
  seed: 3,
};
/** Of its model. */
export const parameters = 51;

export function frameOf(message) {
  return encodeMessage(message);
}

/** What a worker would say next to what it was `asked`; undefined if that is nothing. */
export function answerTo(asked, value, shardSamples = 3) {
  const message = asked.shift();
  if (message === undefined) return undefined;
  if (message.type === 'welcome') return frameOf({ type: 'ready', numericsClass: 'wasm-1' });
  if (message.type === 'prepare')
    return frameOf({ type: 'prepared', shards: message.shards, fetchedBytes: 0 });
  if (message.type !== 'lease') return answerTo(asked, value, shardSamples);
  const isStep = message.task === 'step';
  return frameOf({
    type: 'partial',
    term: message.term,
    round: message.round,
    lo: message.leaves[0],
    hi: message.leaves[0] + 1,
    samples: isStep ? shardSamples : 21,
    computeMs: 1,
    gradient: new Float32Array(isStep ? parameters : 0).fill(value),
    metrics: new Float64Array(isStep ? 2 : 11),
  });
}

/** A real coordinator of a small run, in this process. `defects`: exceptions that no message can explain. */
export async function startCoordinator({ epochs = 1_000_000, shards = recipe.shards, ...more } = {}) {
  const state = { isOver: false, defects: [], problems: [] };
  const coordinator = await createCoordinator({
    recipe: { ...recipe, epochs, shards },
    recipeHash: 'ab'.repeat(32),
    data: { train: split('train', 140), test: split('test', 21) },
    createDirectory: () => createRunDirectory('runs', recipe.name),
    host: '127.0.0.1',
    port: 0,
    onEvent: ({ type, ...event }) => type === 'problem' && state.problems.push(event.message),
    ...more,
  });
  void coordinator.done.then((result) => {
    state.isOver = true;
    if (result.failure?.code === 'INTERNAL')
      state.defects.push(`${result.failure.message} ${result.failure.stack}`);
  });
  return Object.assign(state, {
    coordinator,
    async close() {
      coordinator.stop();
      await coordinator.done;
      await coordinator.close();
    },
  });
}

function split(name, count) {
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 3);
  const shape = { sampleShape: [4, 4, 1], featureType: 'uint8', classNames: ['a', 'b', 'c'] };
  return { name: 'small', split: name, count, features: new Uint8Array(count * 16), labels, ...shape };
}
