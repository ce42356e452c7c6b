/**
 * One contestant of the gradient section, in a process of its own: `node gradient.mjs VARIANT RECIPE`.
 *
 * - `stock`: tfjs-node as it is, `tf.variableGrads` over a layers model
 * - `wasm-layers`, `native-layers`: the same program on a backend prepared by `@gradwire/backend`
 * - `wasm`, `native`: what a worker does, a trainer of `@gradwire/training`
 */
import { prepareBackend } from '@gradwire/backend';
import { loadMnist } from '@gradwire/data/node';
import { initialWeights } from '@gradwire/models';
import { createModel } from '@gradwire/models/layers-model';
import { featureStatistics } from '@gradwire/preprocess';
import { createBatcher, createTrainer } from '@gradwire/training';
import { answerLines, loadOrSkip } from '../measure/line-process.mjs';
import { mnistFolder } from '../measure/peers.mjs';
import { loadStock } from './stock-tfjs.mjs';

const [variant, text] = process.argv.slice(2);
const recipe = JSON.parse(text);
const weights = initialWeights(recipe.model, recipe.seed);
const { train } = await loadMnist({ dataDir: mnistFolder });
const batcher = createBatcher(recipe, featureStatistics(train));
await loadOrSkip(() => (variant === 'stock' ? loadStock() : prepareBackend(variant.replace('-layers', ''))));
const gradientOf = variant === 'wasm' || variant === 'native' ? trainerGradient() : await layersGradient();

await answerLines(variant, ({ batch, repeats }) => {
  const compute = gradientOf(
    batcher(
      train,
      Uint32Array.from({ length: batch }, (_, sample) => sample),
    ),
  );
  return Array.from({ length: repeats }, () => {
    const start = performance.now();
    compute();
    return performance.now() - start;
  });
});

async function layersGradient() {
  const tf = await import('@tensorflow/tfjs-core');
  const model = await createModel({ spec: recipe.model, task: recipe.task }, weights, { output: 'logits' });
  const variables = model.trainableWeights.map((weight) => weight.val);
  return ({ features, targets, count }) =>
    () =>
      tf.tidy(() => {
        const x = tf.tensor(features, [count, ...recipe.model.inputShape]);
        const y = tf.tensor2d(targets, [count, targets.length / count]);
        const loss = () => tf.losses.softmaxCrossEntropy(y, model.apply(x));
        const { value, grads } = tf.variableGrads(loss, variables);
        value.dataSync();
        for (const grad of Object.values(grads)) grad.dataSync();
      });
}

function trainerGradient() {
  const trainer = createTrainer({ recipe });
  trainer.setWeights(weights);
  return (batch) => () => trainer.gradient(batch, { step: 0, shard: 0 });
}
