// The article's network with plain tfjs-node: `model.fit` on all cores. `node tfjs-fit.mjs BATCH WARMUP STEPS`;
// prints one line of JSON, seconds for STEPS steps after WARMUP.
import { loadMnist } from '@gradwire/data/node';
import { findRecipe } from '@gradwire/recipes';
import { featureStatistics } from '@gradwire/preprocess';
import { createBatcher } from '@gradwire/training';
import { loadOrSkip } from '../measure/line-process.mjs';
import { mnistFolder } from '../measure/peers.mjs';
import { loadStock } from './stock-tfjs.mjs';

const [batchSize, warmup, steps] = process.argv.slice(2).map(Number);
const tf = await loadOrSkip(loadStock);
const { train } = await loadMnist({ dataDir: mnistFolder });
const { features, targets } = createBatcher(findRecipe('mnist-cnn'), featureStatistics(train))(train);

const { layers } = tf;
const model = tf.sequential({
  layers: [
    layers.conv2d({ inputShape: [28, 28, 1], filters: 32, kernelSize: 3, activation: 'relu' }),
    layers.maxPooling2d({ poolSize: 2 }),
    layers.conv2d({ filters: 64, kernelSize: 3, activation: 'relu' }),
    layers.maxPooling2d({ poolSize: 2 }),
    layers.flatten(),
    layers.dense({ units: 128, activation: 'relu' }),
    layers.dense({ units: 10, activation: 'softmax' }),
  ],
});
model.compile({ optimizer: tf.train.adam(0.001), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });

let step = 0;
let startMs;
const onBatchEnd = () => {
  step += 1;
  if (step === warmup) startMs = performance.now();
  if (step !== warmup + steps) return;
  process.stdout.write(`${JSON.stringify({ seconds: (performance.now() - startMs) / 1000 })}\n`);
  process.exit();
};
await model.fit(tf.tensor4d(features, [train.count, 28, 28, 1]), tf.tensor2d(targets, [train.count, 10]), {
  batchSize,
  epochs: Math.ceil(((warmup + steps) * batchSize) / train.count),
  verbose: 0,
  // Its default hands over to the event loop between batches; a callback after every batch needs no more than this.
  yieldEvery: 'never',
  callbacks: { onBatchEnd },
});
