import { averageGradient } from '../gradients/average.ts';
import { takeStatistics } from '../gradients/statistics.ts';
import { learningRateAt } from '../schedules/learning-rate.ts';
import { withAgreed } from './count.ts';
import { describeDivergence, describeOverflow } from './non-finite.ts';
import { endRun } from './state.ts';
import type { EngineEffect } from '../events.ts';
import type { Sums } from '../tree/sums.ts';
import type { ActiveRound, Run } from './state.ts';

/**
 * Turns the sum over all shards into the next version of the weights, in the sum's own vector: nothing is allocated.
 * Ends the run if the sum or the new weights are not finite.
 */
export function commitStep(run: Run, active: ActiveRound, sums: Sums): EngineEffect[] {
  const { plan, vectors } = run;
  const { samples, gradient, metrics } = sums;
  const step = active.round.version;
  const { layout, l2, clipNorm, totalSteps, stepsPerEpoch } = plan;
  const learningRate = learningRateAt(plan.schedule, { step, totalSteps, stepsPerEpoch });

  const setStatistics = takeStatistics(sums, plan.layout);
  const gradientNorm = averageGradient(gradient, run.weights, { samples, layout, l2, clipNorm, vectors });
  if (!Number.isFinite(gradientNorm)) return endRun(run, 'failed', describeOverflow(plan, active, gradient));

  const isFinite = run.optimizer.step({ weights: run.weights, gradient, into: gradient }, learningRate);
  if (!isFinite) return endRun(run, 'failed', describeDivergence(plan, active, gradient));
  setStatistics(gradient);
  run.weights = gradient;

  const [loss = 0, correct = 0] = metrics;
  const record = {
    step: step + 1,
    epoch: active.round.epoch + 1,
    samples,
    loss: loss / samples,
    accuracy: correct / samples,
    learningRate,
    gradientNorm,
    ...(active.staleness === undefined ? {} : { staleness: active.staleness, batch: active.round.step }),
    contributions: withAgreed(active).toSorted((a, b) => a.lo - b.lo),
  };
  return [{ type: 'commit', record }, ...countTowardsEpoch(run, record.step, { samples, loss, correct })];
}

/** Adds a step to its epoch and reports the epoch if this was its last. */
function countTowardsEpoch(run: Run, step: number, more: Run['epochTotals']): EngineEffect[] {
  const totals = run.epochTotals;
  totals.samples += more.samples;
  totals.loss += more.loss;
  totals.correct += more.correct;
  if (step % run.plan.stepsPerEpoch !== 0) return [];

  run.epochTotals = { samples: 0, loss: 0, correct: 0 };
  const epoch = step / run.plan.stepsPerEpoch;
  const { samples } = totals;
  return [{ type: 'epoch-done', epoch, loss: totals.loss / samples, accuracy: totals.correct / samples }];
}
