/**
 * A coordinator alone in its process, for the coordinator section: `node coordinator-host.mjs PARAMETERS SHARDS`.
 * Each line on stdin asks for `{ steps, cpuMs, wallMs, peakMiB }` once so many more steps are done.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRunDirectory } from '@gradwire/checkpoint';
import { createCoordinator } from '@gradwire/coordinator';
import { parameterLayout } from '@gradwire/models';
import { recipeHash } from '@gradwire/recipes';
import { answerLines } from '../measure/line-process.mjs';

const [parameters, shards] = process.argv.slice(2).map(Number);
const inputs = 16;
const classes = 10;
// inputs x units + units + units x classes + classes parameters.
const units = Math.round((parameters - classes) / (inputs + 1 + classes));
const recipe = {
  name: 'synthetic',
  description: 'One hidden layer, as wide as the number of parameters asks for.',
  dataset: 'synthetic',
  features: { type: 'normalise' },
  model: {
    name: 'synthetic',
    inputShape: [inputs],
    layers: [
      { type: 'dense', units, activation: 'relu' },
      { type: 'dense', units: classes },
    ],
  },
  task: { type: 'multiclass', classes },
  optimizer: { type: 'adam' },
  schedule: { type: 'constant', learningRate: 0.001 },
  // One sample a shard, and an epoch longer than any measurement: no evaluation falls into it.
  batchSize: shards,
  shards,
  epochs: 1,
  seed: 1,
};
const folder = mkdtempSync(join(tmpdir(), 'gradwire-bench-'));
let steps = 0;
let onStep = () => undefined;
const coordinator = await createCoordinator({
  recipe,
  recipeHash: await recipeHash(recipe),
  data: { train: split('train', shards * 10_000), test: split('test', 10) },
  createDirectory: () => createRunDirectory(folder, recipe.name),
  host: '127.0.0.1',
  port: 0,
  onEvent: ({ type }) => {
    if (type !== 'step') return;
    steps += 1;
    onStep();
  },
});

const { token, port } = coordinator;
const { size } = parameterLayout(recipe.model);
await answerLines({ url: `ws://127.0.0.1:${port}`, token, parameters: size }, async (task) => {
  const before = { steps, wallMs: performance.now(), cpu: process.cpuUsage() };
  await new Promise((resolve) => {
    onStep = () => steps >= before.steps + task.steps && resolve();
  });
  const { user, system } = process.cpuUsage(before.cpu);
  const [cpuMs, wallMs] = [(user + system) / 1000, performance.now() - before.wallMs];
  return { steps: steps - before.steps, cpuMs, wallMs, peakMiB: process.resourceUsage().maxRSS / 1024 };
});
coordinator.stop();
await coordinator.done;
await coordinator.close();
rmSync(folder, { recursive: true });

function split(name, count) {
  const features = new Uint8Array(count * inputs);
  const labels = Uint8Array.from({ length: count }, (_, sample) => sample % classes);
  for (let i = 0; i < features.length; i++) features[i] = (i * 31) % 256;
  const classNames = Array.from({ length: classes }, (_, label) => `${label}`);
  return {
    name: 'synthetic',
    split: name,
    count,
    features,
    labels,
    sampleShape: [inputs],
    featureType: 'uint8',
    classNames,
  };
}
