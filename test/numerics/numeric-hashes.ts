// What is compared between machines and JavaScript engines. No `node:` import: it also runs in a page.
import { averageGradient, createOptimizer, learningRateAt, type VectorMath } from '@gradwire/engine';
import { goldenHashes } from '@gradwire/kernels/golden';
import { answerCount } from '@gradwire/models';
import { targets } from '@gradwire/preprocess';
import { uniform } from '@gradwire/random';
import { findRecipe, type Recipe } from '@gradwire/recipes';
import { type Batch, createTrainer, probeHash, type Trainer } from '@gradwire/training';

const recipes = ['mnist-cnn', 'mnist-fast', 'mnist-deep'];
const steps = 5;
const batchSize = 33;

/**
 * SHA-256 of everything whose bits must not depend on the machine: each kernel, and for some recipes the probe gradient
 * and the weights after five steps (schedule and optimizer included). The wasm backend must be the current one.
 *
 * @param vectors - the optimizer's arithmetic.
 */
export async function numericHashes(vectors: VectorMath): Promise<Record<string, string>> {
  const hashes = Object.entries(await goldenHashes());
  for (const name of recipes) {
    const recipe = findRecipe(name);
    const trainer = createTrainer({ recipe });
    hashes.push([`${name}, probe gradient`, await probeHash(trainer)]);
    hashes.push([`${name}, ${steps} steps`, await sha256(trainSteps(recipe, { trainer, vectors }))]);
    trainer.dispose();
  }
  return Object.fromEntries(hashes);
}

function trainSteps(
  recipe: Recipe,
  { trainer, vectors }: { trainer: Trainer; vectors: VectorMath },
): Float32Array<ArrayBuffer> {
  const { layout } = trainer;
  const optimizer = createOptimizer(recipe.optimizer, layout, { vectors });
  const weights = Float32Array.from(trainer.initialWeights());
  for (let step = 0; step < steps; step += 1) {
    trainer.setWeights(weights);
    const { gradient } = trainer.gradient(batchOf(trainer, step), { step, shard: 0 });
    averageGradient(gradient, weights, { samples: batchSize, layout, vectors });
    const position = { step, totalSteps: steps, stepsPerEpoch: steps };
    optimizer.step({ weights, gradient }, learningRateAt(recipe.schedule, position));
  }
  return weights;
}

/** Noise, with a background of ties for max-pooling. */
function batchOf({ inputShape, task }: Trainer, seed: number): Batch {
  const size = inputShape.reduce((product, side) => product * side, batchSize);
  const noise = uniform({ seed, stream: 'probe' }, size, { low: -1, high: 1 });
  const features = Float32Array.from(noise, (x) => Math.max(x, -0.5));
  const labels = Uint8Array.from({ length: batchSize }, (_, i) => (i * 7) % answerCount(task));
  return { features, targets: targets(labels, task), labels, count: batchSize };
}

async function sha256(values: Float32Array<ArrayBuffer>): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', values);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
