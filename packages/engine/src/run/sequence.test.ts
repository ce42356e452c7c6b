import { expect, test } from 'vitest';
import { describeRound, roundAfter } from './sequence.ts';
import type { EnginePlan, Round } from '../events.ts';

type Numbers = Pick<EnginePlan, 'totalSteps' | 'stepsPerEpoch'>;

function sequence({ totalSteps, stepsPerEpoch }: Numbers, afterEpoch: 'validation' | 'test'): string[] {
  const plan: EnginePlan = {
    layout: { size: 0, parameters: [] },
    initialWeights: new Float32Array(0),
    optimizer: { type: 'sgd' },
    schedule: { type: 'constant', learningRate: 1 },
    shards: 2,
    stepsPerEpoch,
    totalSteps,
    classes: 2,
    stepSamples: () => [1, 1],
    evaluations: { afterEpoch, atEnd: 'test', blocks: { validation: [5], test: [5, 3] } },
  };
  const rounds: Round[] = [];
  for (let round = roundAfter(plan); round; round = roundAfter(plan, round)) rounds.push(round);
  expect(rounds.map(({ index }) => index)).toEqual([...rounds.keys()]);
  return rounds.map((round) => `${round.split ?? `${round.epoch}.${round.step}`}@${round.version}`);
}

test('each epoch ends with an evaluation; a last one on the same split is not repeated', () => {
  const rounds = sequence({ totalSteps: 4, stepsPerEpoch: 2 }, 'test');
  expect(rounds).toEqual(['0.0@0', '0.1@1', 'test@2', '1.0@2', '1.1@3', 'test@4']);
});

test('after a validation the test set comes at the end', () => {
  const rounds = sequence({ totalSteps: 2, stepsPerEpoch: 1 }, 'validation');
  expect(rounds).toEqual(['0.0@0', 'validation@1', '1.0@1', 'validation@2', 'test@2']);
});

test('a run that ends inside an epoch ends with the test set', () => {
  expect(sequence({ totalSteps: 3, stepsPerEpoch: 2 }, 'test')).toEqual([
    '0.0@0',
    '0.1@1',
    'test@2',
    '1.0@2',
    'test@3',
  ]);
  expect(sequence({ totalSteps: 1, stepsPerEpoch: 2 }, 'validation')).toEqual(['0.0@0', 'test@1']);
});

test('people count from 1', () => {
  const round = { index: 3, version: 2, epoch: 0, step: 2, leafCount: 2 } as const;
  expect(describeRound({ ...round, task: 'step' })).toBe('step 3 (epoch 1)');
  expect(describeRound({ ...round, task: 'evaluate', split: 'test' })).toBe('test evaluation after step 2');
});
