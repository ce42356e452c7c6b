import { cos } from '@gradwire/random';
import type { ScheduleSpec } from '../specs.ts';

/** Where in the run a learning rate is asked for. */
export interface SchedulePosition {
  /** Steps committed before: 0 for the first update of the run. */
  readonly step: number;
  /** Steps of the whole run. */
  readonly totalSteps: number;
  readonly stepsPerEpoch: number;
}

type Schedule<Type extends ScheduleSpec['type']> = Extract<ScheduleSpec, { readonly type: Type }>;

/** The learning rate of one update; the same bits on every machine. */
export function learningRateAt(schedule: ScheduleSpec, position: SchedulePosition): number {
  return warmupFactor(schedule.warmupSteps ?? 0, position.step) * baseRate(schedule, position);
}

/** Rises linearly from 0: 1 / warmupSteps for the first update, 1 from update number `warmupSteps` on. */
function warmupFactor(warmupSteps: number, step: number): number {
  return step + 1 < warmupSteps ? (step + 1) / warmupSteps : 1;
}

function baseRate(schedule: ScheduleSpec, position: SchedulePosition): number {
  if (schedule.type === 'step') return stepRate(schedule, position);
  if (schedule.type === 'cosine') return cosineRate(schedule, position);
  if (schedule.type === 'one-cycle') return oneCycleRate(schedule, position);
  return schedule.learningRate;
}

function stepRate(schedule: Schedule<'step'>, { step, stepsPerEpoch }: SchedulePosition): number {
  const epoch = Math.floor(step / stepsPerEpoch);
  const drops = Math.floor(epoch / schedule.everyEpochs);
  let rate = schedule.learningRate;
  for (let drop = 0; drop < drops; drop++) rate *= schedule.factor;
  return rate;
}

function cosineRate(schedule: Schedule<'cosine'>, { step, totalSteps }: SchedulePosition): number {
  return anneal(schedule.learningRate, schedule.finalLearningRate ?? 0, step / totalSteps);
}

/** Smith 2018, "Super-convergence"; the phases end where those of PyTorch's `OneCycleLR` do. */
function oneCycleRate(schedule: Schedule<'one-cycle'>, { step, totalSteps }: SchedulePosition): number {
  const { learningRate: peak, riseShare = 0.3, startDivisor = 25, endDivisor = 10_000 } = schedule;
  const start = peak / startDivisor;
  const top = Math.max(0, riseShare * totalSteps - 1);
  if (step < top) return anneal(start, peak, step / top);
  const fall = totalSteps - 1 - top;
  return anneal(peak, start / endDivisor, fall > 0 ? (step - top) / fall : 0);
}

/** Half a cosine from `from` (progress 0) to `to` (progress 1). */
function anneal(from: number, to: number, progress: number): number {
  return to + ((from - to) / 2) * (1 + cos(Math.PI * progress));
}
