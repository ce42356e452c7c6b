import { answerCount } from '@gradwire/models';
import { targets } from '@gradwire/preprocess';
import { uniform } from '@gradwire/random';
import type { Batch, Trainer } from './trainer.ts';

const probeSamples = 16;

/**
 * Names a trainer's numerics class: the SHA-256, in hexadecimal, of the gradient of a synthetic micro-batch of 16
 * samples at the initial weights. Trainers with equal hashes give equal bits. Replaces the trainer's weights by the
 * initial ones.
 *
 * @param initial - what `trainer.initialWeights()` gives, where the caller has it already.
 */
export async function probeHash(
  trainer: Trainer,
  initial: Float32Array = trainer.initialWeights(),
): Promise<string> {
  trainer.setWeights(initial);
  const { gradient } = trainer.gradient(probeBatch(trainer), { step: 0, shard: 0 });
  const digest = await crypto.subtle.digest('SHA-256', gradient);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function probeBatch({ inputShape, task, seed }: Trainer): Batch {
  const size = inputShape.reduce((product, side) => product * side, probeSamples);
  const features = Float32Array.from(uniform({ seed, stream: 'probe' }, size));
  const classes = task.type === 'binary' ? Math.max(...task.positive) + 1 : answerCount(task);
  const labels = Uint8Array.from({ length: probeSamples }, (_, i) => i % classes);
  return { features, targets: targets(labels, task), labels, count: probeSamples };
}
