// Single kernels of tfjs's wasm backend on one core, as they come and as `@gradwire/kernels` replaces them, for the
// layers of mnist-cnn: `node kernels.mjs ROUNDS` prints one line of JSON, `[{ title, tfjs, ours }, …]` in ms a call.
import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import { loadKernels } from '@gradwire/kernels';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';

const rounds = Number(process.argv[2]);
const batch = 128;
const require = createRequire(import.meta.url);
setWasmPaths(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + sep);
await tf.setBackend('wasm');

const random = (shape) => tf.randomUniform(shape, -1, 1, 'float32', 1);
const convolution = { strides: [1, 1], dilations: [1, 1], pad: 'valid', dataFormat: 'NHWC' };
const fused = { ...convolution, poolPad: 'valid', relu: true };
const pooling = { filterSize: 2, strides: 2, pad: 'valid' };
const [x1, w1, z1, y1] = [
  [28, 28, 1],
  [3, 3, 1, 32],
  [26, 26, 32],
  [13, 13, 32],
].map(shaped);
const [w2, z2, y2] = [
  [3, 3, 32, 64],
  [11, 11, 64],
  [5, 5, 64],
].map(shaped);
const [b1, b2] = [random([32]), random([64])];
const [flat, hidden, weights] = [
  [1, batch, 1600],
  [1, batch, 128],
  [1, 1600, 128],
].map(random);

const filterGradient = { ...convolution, filterShape: w2.shape };
const inputGradient = { ...convolution, inputShape: y1.shape };

function shaped(shape) {
  return random(shape.length === 4 ? shape : [batch, ...shape]);
}

const pooled = tf.maxPool(z1, 2, 2, 'valid');

const cases = [
  ['`Conv2D`, 1 to 32 channels', 'Conv2D', { x: x1, filter: w1 }, convolution],
  ['`Conv2D`, 32 to 64', 'Conv2D', { x: y1, filter: w2 }, convolution],
  ['`Conv2DBackpropFilter`, 32 to 64', 'Conv2DBackpropFilter', { x: y1, dy: z2 }, filterGradient],
  ['`Conv2DBackpropInput`, 32 to 64', 'Conv2DBackpropInput', { dy: z2, filter: w2 }, inputGradient],
  ['`MaxPoolGrad`, 26 x 26 x 32', 'MaxPoolGrad', { dy: y1, input: z1, output: pooled }, pooling],
  ['`AvgPoolGrad`, 26 x 26 x 32', 'AvgPoolGrad', { dy: y1, input: z1 }, pooling],
  ['`Sum` of 26 x 26 x 32 to 32', 'Sum', { x: z1 }, { axis: [0, 1, 2], keepDims: false }],
  ['`BatchMatMul`, x W', 'BatchMatMul', { a: flat, b: weights }, {}],
  ['`BatchMatMul`, xᵀ dy', 'BatchMatMul', { a: flat, b: hidden }, { transposeA: true }],
  ['`BatchMatMul`, dy Wᵀ', 'BatchMatMul', { a: hidden, b: weights }, { transposeB: true }],
  [
    'convolution, bias, relu, pooling, 1 to 32',
    'GradwireConvolvePool',
    { x: x1, filter: w1, bias: b1 },
    fused,
  ],
  ['the same, 32 to 64', 'GradwireConvolvePool', { x: y1, filter: w2, bias: b2 }, fused],
].map(([title, name, inputs, attrs]) => ({ title, name, inputs, attrs }));

const before = new Map(
  tf.getKernelsForBackend('wasm').map(({ kernelName, kernelFunc }) => [kernelName, kernelFunc]),
);
await loadKernels();
for (const [title, x, filter, bias, dy, inputNeeded] of [
  ['its gradients by filter and bias, 1 to 32', x1, w1, b1, y1, false],
  ['its gradients by filter, bias and x, 32 to 64', y1, w2, b2, y2, true],
]) {
  const index = tf.engine().runKernel('GradwireConvolvePool', { x, filter, bias }, fused)[1];
  const name = 'GradwireConvolvePoolGradients';
  cases.push({ title, name, inputs: { x, filter, dy, index }, attrs: { ...fused, inputNeeded } });
}
const results = cases.map(({ title, name, inputs, attrs }) => {
  const kernels = [before.get(name), tf.getKernel(name, 'wasm').kernelFunc];
  const [tfjs, ours] = time(kernels, { inputs, attrs, backend: tf.backend() });
  return { title, tfjs, ours };
});
console.log(JSON.stringify(results));

/** Milliseconds of both, which take turns; none for a kernel that tfjs lacks. */
function time(kernels, call) {
  const times = kernels.map(() => []);
  for (let round = 0; round < rounds + 3; round++) {
    for (const [i, kernel] of kernels.entries()) {
      if (!kernel) continue;
      const start = performance.now();
      const outputs = [kernel({ ...call })].flat();
      if (round >= 3) times[i].push(performance.now() - start);
      for (const { dataId } of outputs) tf.backend().disposeData(dataId);
    }
  }
  return times;
}
