import type { TaskSpec } from '../specs.ts';
import { answerCount, outputUnits } from './outputs.ts';

/**
 * The network's answer for each sample: the class with the largest logit (the first of equals), or for a binary
 * task 1 if the logit is above 0, that is the probability above one half.
 *
 * @param logits - `[samples x outputs]`, row-major.
 */
export function predictedAnswers(task: TaskSpec, logits: Float32Array): Uint8Array {
  if (task.type === 'binary') return Uint8Array.from(logits, (x) => (x > 0 ? 1 : 0));
  const units = outputUnits(task);
  return Uint8Array.from({ length: logits.length / units }, (_, row) => {
    let best = row * units;
    for (let i = best + 1; i < (row + 1) * units; i += 1) {
      if ((logits[i] as number) > (logits[best] as number)) best = i;
    }
    return best - row * units;
  });
}

/** The right answer for each sample: its label, or for a binary task 1 if the label is among `positive`. */
export function actualAnswers(task: TaskSpec, labels: Uint8Array): Uint8Array {
  return task.type === 'binary' ? labels.map((label) => (task.positive.includes(label) ? 1 : 0)) : labels;
}

/** Number of samples answered rightly. */
export function countCorrect(task: TaskSpec, logits: Float32Array, labels: Uint8Array): number {
  const actual = actualAnswers(task, labels);
  return predictedAnswers(task, logits).reduce((sum, answer, i) => sum + (answer === actual[i] ? 1 : 0), 0);
}

/** How often each answer was given for each right one: `[actual x predicted]`, row-major counts. */
export function confusionCounts(task: TaskSpec, logits: Float32Array, labels: Uint8Array): Float64Array {
  const answers = answerCount(task);
  const counts = new Float64Array(answers * answers);
  const actual = actualAnswers(task, labels);
  for (const [i, answer] of predictedAnswers(task, logits).entries()) {
    const cell = (actual[i] as number) * answers + answer;
    counts[cell] = (counts[cell] as number) + 1;
  }
  return counts;
}
