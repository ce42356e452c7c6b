import { expect, test } from 'vitest';
import { createCatchUp } from './catch-up.ts';
import type { EnginePlan, Round } from '../events.ts';

/** Groups [0, 2), [2, 4), [4, 5); periods of four steps, in epochs of eleven. */
const plan: EnginePlan = {
  layout: { size: 1, parameters: [{ name: 'w', shape: [1], offset: 0, size: 1, role: 'kernel' }] },
  initialWeights: Float32Array.of(0),
  optimizer: { type: 'sgd' },
  schedule: { type: 'constant', learningRate: 0.1 },
  coding: { groupSize: 2, code: (gradient) => gradient, feedbackSteps: 4 },
  shards: 5,
  stepsPerEpoch: 11,
  totalSteps: 22,
  classes: 2,
  stepSamples: () => [1, 1, 1, 1, 1],
  evaluations: { afterEpoch: 'test', atEnd: 'test', blocks: { validation: [], test: [4] } },
};

function work(version: number, leaves: readonly number[]) {
  const place = { epoch: Math.floor(version / 11), step: version % 11, leafCount: 5 };
  const round: Round = { index: version, task: 'step', version, ...place };
  return { round, leaves, weights: Float32Array.of(version) };
}

const [ada, bob] = [{}, {}];

/** Each as its version, its leaves, and whether it is a replay or the last of a period. */
function orders(
  catchUp: ReturnType<typeof createCatchUp>,
  worker: object,
  given: ReturnType<typeof work>,
): string[] {
  return catchUp.expand(worker, given).map(({ round, leaves, weights, feedback }) => {
    expect([...weights]).toEqual([round.version]);
    const mark = feedback?.isReplay ? ' again' : feedback?.isLast ? ' last' : '';
    return `${round.version}: ${leaves.join(' ')}${mark}`;
  });
}

test('who holds a group all the time computes nothing twice', () => {
  const catchUp = createCatchUp(plan);
  const found = Array.from({ length: 12 }, (_, version) => orders(catchUp, ada, work(version, [0, 1, 4])));
  const marks = ['', '', '', ' last', '', '', '', ' last', '', ' last', ' last', ''];
  expect(found).toEqual(marks.map((mark, version) => [`${version}: 0 1 4${mark}`]));
});

test('who gets a group within a period computes it from its start, or from where it had it last', () => {
  const catchUp = createCatchUp(plan);
  for (const version of [4, 5]) {
    orders(catchUp, ada, work(version, [0, 1, 2, 3]));
    orders(catchUp, bob, work(version, [4]));
  }
  expect(orders(catchUp, ada, work(6, [0, 1]))).toEqual(['6: 0 1']);
  expect(orders(catchUp, bob, work(6, [2, 3, 4]))).toEqual(['4: 2 3 again', '5: 2 3 again', '6: 2 3 4']);
  // The same step once more: what it keeps is of the step itself.
  expect(orders(catchUp, ada, work(6, [0, 1]))).toEqual(['4: 0 1 again', '5: 0 1 again', '6: 0 1']);
  expect(orders(catchUp, ada, work(7, [0, 1, 2, 3]))).toEqual(['6: 2 3 again', '7: 0 1 2 3 last']);
  expect(orders(catchUp, bob, work(8, [0, 1]))).toEqual(['8: 0 1']);
});

test('after a step back nobody keeps anything', () => {
  const catchUp = createCatchUp(plan);
  for (const version of [4, 5]) orders(catchUp, ada, work(version, [0, 1]));
  catchUp.goBack();
  orders(catchUp, bob, work(4, [0, 1]));
  expect(orders(catchUp, ada, work(5, [0, 1]))).toEqual(['4: 0 1 again', '5: 0 1']);
});

test('without feedback a lease stays as it is', () => {
  const { feedbackSteps: _, ...coding } = plan.coding!;
  const given = work(5, [0, 1]);
  expect(createCatchUp({ ...plan, coding }).expand(ada, given)).toEqual([given]);
});
