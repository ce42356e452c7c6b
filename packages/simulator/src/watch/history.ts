import {
  type Contribution,
  type Engine,
  type EngineEffect,
  type EnginePlan,
  type EvaluationRecord,
  type Round,
  roundAfter,
  type RunState,
  type StepRecord,
} from '@gradwire/engine';
import { must } from './broken-promise.ts';
import type { Reference } from './reference.ts';
import type { Truth } from './truth.ts';

type Pollution = Pick<Truth, 'isPolluted' | 'isLastEvaluationPolluted'>;

/** What a run has done so far, and whether it is what the definition says. */
export interface History {
  /** A process begins: where the run stands is where it starts from. */
  begin(state: RunState | undefined): void;
  /** Of a run that has ended. */
  checkJournal(text: string): void;
  take(effect: EngineEffect, engine: Engine): void;
}

/** @param truth Whether lies that nobody could compare are in the weights, or in an evaluation: then they are any. */
export function createHistory(plan: EnginePlan, reference: Reference, truth: Pollution): History {
  return plan.maxStaleness === undefined
    ? createSynchronousHistory(plan, reference, truth)
    : createAsynchronousHistory(plan);
}

/** Everything has its place and its bits. */
function createSynchronousHistory(
  plan: EnginePlan,
  reference: Reference,
  { isPolluted, isLastEvaluationPolluted }: Pollution,
): History {
  let due: Round | undefined;
  let published: Extract<EngineEffect, { type: 'publish' }> | undefined;
  /** Reported with the step before. */
  let epochs = 0;

  const mustBeRight = (weights: Float32Array, version: number, what: string): void => {
    if (!isPolluted()) mustEqualBits(weights, reference.weightsAt(version), what);
  };
  const take = (effect: EngineEffect, engine: Engine): void => {
    switch (effect.type) {
      case 'publish':
        published = effect;
        return mustBeRight(effect.weights, effect.version, `weights ${effect.version}`);
      case 'lease':
        return must('in order', isSamePlace(effect.round, due), () => {
          return `a lease of ${describe(effect.round)}, due is ${describe(due)}`;
        });
      case 'commit':
        if (published) {
          const { version, weights } = published;
          mustBeRight(weights, version, `what was published as version ${version}`);
        }
        must('in order', due?.task === 'step' && effect.record.step === due.version + 1, () => {
          return `step ${effect.record.step}, due is ${describe(due)}`;
        });
        checkCounted(effect.record.contributions, plan.stepSamples(due?.step ?? 0));
        if (!isPolluted()) checkStep(effect.record, reference);
        mustBeRight(engine.weights(), effect.record.step, `step ${effect.record.step}`);
        due = roundAfter(plan, due);
        return;
      case 'epoch-done':
        epochs++;
        if (!isPolluted()) checkEpoch(plan, effect, reference);
        return must('in order', effect.epoch === epochs, () => `epoch ${effect.epoch}, due is ${epochs}`);
      case 'evaluated':
        must('in order', due?.split === effect.record.split && due.version === effect.record.step, () => {
          return `an evaluation after step ${effect.record.step}, due is ${describe(due)}`;
        });
        if (due && !isPolluted() && !isLastEvaluationPolluted())
          checkEvaluation(effect.record, due, reference);
        due = roundAfter(plan, due);
        return;
      case 'end':
        return must('in order', effect.outcome === 'finished' && due === undefined, () => {
          return `${effect.outcome} ${effect.error?.message ?? ''} with ${describe(due)} due`;
        });
      default:
        return;
    }
  };
  return {
    begin(state) {
      const last = state?.lastRound;
      due = roundAfter(plan, last);
      const version = due?.version ?? plan.totalSteps;
      epochs = Math.floor(version / plan.stepsPerEpoch);
      if (state) mustBeRight(state.weights, version, `the snapshot of step ${version}`);
    },
    checkJournal(text) {
      checkLines(withoutDetails(text), journalOf(plan));
    },
    take,
  };
}

/** The order decides the bits, so only the counting can be checked: each sample once an epoch. */
function createAsynchronousHistory(plan: EnginePlan): History {
  let steps = 0;
  let samples = 0;
  return {
    begin(state) {
      const last = state?.lastRound;
      // Snapshots stand between epochs: in an epoch, steps come in any order.
      steps = last ? last.version + (last.task === 'step' ? 1 : 0) : 0;
      samples = 0;
    },
    checkJournal(text) {
      const lines = withoutDetails(text)
        .split('\n')
        .filter((line) => line.startsWith('step'));
      const due = Array.from({ length: plan.totalSteps }, (_, i) => `step ${i + 1}`);
      checkLines(`${lines.join('\n')}\nend\n`, due);
    },
    take(effect) {
      if (effect.type === 'commit') {
        const { record } = effect;
        must('in order', record.step === steps + 1, () => `step ${record.step} after step ${steps}`);
        const { staleness = Infinity } = record;
        must('reference bits', staleness <= plan.maxStaleness!, () => `staleness ${staleness}`);
        steps++;
        samples += record.samples;
        if (steps % plan.stepsPerEpoch !== 0) return;
        const expected = samplesOfEpoch(plan);
        must('counted once', samples === expected, () => `${samples} of ${expected} samples in an epoch`);
        samples = 0;
      }
      if (effect.type !== 'end') return;
      must('in order', effect.outcome === 'finished' && steps === plan.totalSteps, () => {
        return `${effect.outcome} after ${steps} of ${plan.totalSteps} steps ${effect.error?.message ?? ''}`;
      });
    },
  };
}

/** What the journal of a whole run holds, without its end. */
function journalOf(plan: EnginePlan): string[] {
  const lines: string[] = [];
  for (let round = roundAfter(plan); round; round = roundAfter(plan, round)) {
    lines.push(round.split ? `${round.split} ${round.version}` : `step ${round.version + 1}`);
  }
  return lines;
}

/** Without what a line says after a tab. */
function withoutDetails(text: string): string {
  return text.replaceAll(/\t.*/gu, '');
}

function checkLines(text: string, due: readonly string[]): void {
  must('journal', text === [...due, 'end', ''].join('\n'), () => {
    return `found ${JSON.stringify(text)}, expected [${due.join(', ')}]`;
  });
}

function samplesOfEpoch(plan: EnginePlan): number {
  let sum = 0;
  for (let step = 0; step < plan.stepsPerEpoch; step++) for (const n of plan.stepSamples(step)) sum += n;
  return sum;
}

function checkCounted(contributions: readonly Contribution[], samples: readonly number[]): void {
  const counted = samples.map(() => 0);
  for (const { lo, hi, samples: given } of contributions) {
    let expected = 0;
    for (let leaf = lo; leaf < hi; leaf++) {
      counted[leaf]!++;
      expected += samples[leaf]!;
    }
    must('counted once', given === expected, () => `[${lo}, ${hi}) with ${given} samples of ${expected}`);
  }
  for (let leaf = 0; leaf < counted.length; leaf++) {
    const times = counted[leaf]!;
    const isFine = times === 1 || (times === 0 && samples[leaf] === 0);
    must('counted once', isFine, () => `leaf ${leaf} was counted ${times} times`);
  }
}

function checkStep({ step, samples, loss, accuracy }: StepRecord, reference: Reference): void {
  const expected = reference.step(step);
  const [lossSum = 0, correct = 0] = expected.metrics;
  const isRight =
    samples === expected.samples && loss === lossSum / samples && accuracy === correct / samples;
  must('reference bits', isRight, () => `the metrics of step ${step}: loss ${loss}, accuracy ${accuracy}`);
}

function checkEpoch(
  { stepsPerEpoch }: EnginePlan,
  { epoch, loss, accuracy }: Extract<EngineEffect, { type: 'epoch-done' }>,
  reference: Reference,
): void {
  const sum = { samples: 0, loss: 0, correct: 0 };
  for (let step = (epoch - 1) * stepsPerEpoch + 1; step <= epoch * stepsPerEpoch; step++) {
    const { samples, metrics } = reference.step(step);
    sum.samples += samples;
    sum.loss += metrics[0]!;
    sum.correct += metrics[1]!;
  }
  const isRight = loss === sum.loss / sum.samples && accuracy === sum.correct / sum.samples;
  must('reference bits', isRight, () => `the means of epoch ${epoch}: loss ${loss}, accuracy ${accuracy}`);
}

function checkEvaluation(record: EvaluationRecord, round: Round, reference: Reference): void {
  const { samples, metrics } = reference.evaluation(round);
  const [loss = 0, correct = 0, ...counts] = metrics;
  const isRight =
    record.samples === samples && record.loss === loss / samples && record.accuracy === correct / samples;
  const isCounted = record.confusion.flat().every((count, i) => count === counts[i]);
  must('reference bits', isRight && isCounted, () => `the evaluation after step ${record.step}`);
}

function mustEqualBits(found: Float32Array, expected: Float32Array, what: string): void {
  let isEqual = found.length === expected.length;
  for (let i = 0; isEqual && i < found.length; i++) isEqual = Object.is(found[i], expected[i]);
  must('reference bits', isEqual, () => `${what} is [${found.join()}], expected [${expected.join()}]`);
}

function isSamePlace(round: Round, due: Round | undefined): boolean {
  return round.task === due?.task && round.version === due.version && round.split === due.split;
}

function describe(round: Round | undefined): string {
  return round ? `${round.split ?? 'step'} on version ${round.version}` : 'nothing';
}
