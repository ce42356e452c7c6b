import { type Dataset, evaluationBlocks } from '@gradwire/data';
import { addSums, createTreeSum, type Sums } from '@gradwire/engine';
import { GradwireError } from '@gradwire/errors';
import type { OpenModel } from './open-model.ts';

/** How well a model answers on a data set. */
export interface Evaluation {
  readonly samples: number;
  /** Mean over the samples. */
  readonly loss: number;
  /** Share of right answers. */
  readonly accuracy: number;
  /** Counts, actual x predicted. */
  readonly confusion: readonly (readonly number[])[];
}

/**
 * Evaluates a model on all samples of a data set, with the same blocks and the same order of sums as a run does:
 * on the same numerics class the figures are equal, bit for bit. Throws CANCELLED when the signal is aborted.
 */
export async function evaluateDataset(
  { trainer, batcher, answers }: Pick<OpenModel, 'trainer' | 'batcher' | 'answers'>,
  dataset: Dataset,
  { signal, onBlock }: { readonly signal: AbortSignal; readonly onBlock?: (samples: number) => void },
): Promise<Evaluation> {
  const sizes = evaluationBlocks(dataset.count);
  const tree = createTreeSum<Sums>(sizes.length, addSums);
  let start = 0;
  for (const [block, samples] of sizes.entries()) {
    const first = start;
    const metrics = trainer.evaluate(
      batcher(
        dataset,
        Uint32Array.from({ length: samples }, (_, i) => first + i),
      ),
    );
    tree.add({ lo: block, hi: block + 1 }, { samples, gradient: new Float32Array(0), metrics });
    start += samples;
    onBlock?.(start);
    await turn();
    if (signal.aborted)
      throw new GradwireError('CANCELLED', `stopped after ${start} of ${dataset.count} samples`);
  }
  return toEvaluation(tree.root(), answers.length);
}

function toEvaluation(sums: Sums | undefined, answers: number): Evaluation {
  const { samples, metrics } = sums ?? { samples: 0, metrics: new Float64Array(2 + answers ** 2) };
  const [loss = 0, correct = 0, ...counts] = metrics;
  return {
    samples,
    loss: loss / samples,
    accuracy: correct / samples,
    confusion: Array.from({ length: answers }, (_, row) => counts.slice(row * answers, (row + 1) * answers)),
  };
}

/** Lets signals and output through between two blocks. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
