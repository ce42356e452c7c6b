import { findRecipe } from '@gradwire/recipes';
import { expect, test } from 'vitest';
import { listCandidates, recommend, type Situation } from './candidates.ts';
import { loopback, parseLink } from './link.ts';

const costs = {
  gradientMs: 5,
  localStepMs: 6,
  receiveMs: 0.3,
  sendMs: 0.1,
  publishMs: 0.1,
  addMs: 0.3,
  commitMs: 1,
};
const situation: Situation = {
  recipe: findRecipe('mnist-cnn'),
  trainingCount: 60_000,
  workers: 2,
  link: loopback,
};

test('the codecs, local steps and strategies that make a difference are listed', () => {
  const candidates = listCandidates(costs, situation);
  expect(candidates.map(({ strategy, codec }) => [strategy.type, codec.name])).toEqual([
    ['synchronous', 'float32'],
    ['synchronous', 'bfloat16'],
    ['synchronous', 'int8'],
    ...Array.from({ length: 6 }, () => ['diloco', 'float32']),
    ['asynchronous', 'float32'],
  ]);
  expect(candidates[0]).toMatchObject({ stepsPerEpoch: 469, bytesPerStep: 2 * 4 * 225_034 });
  // An epoch of 20 steps has no use for 32 local ones.
  const short = listCandidates(costs, { ...situation, trainingCount: 2500 });
  expect(short.filter(({ strategy }) => strategy.type === 'diloco')).toHaveLength(2);
});

test('on one machine synchronous training is recommended, over a slow link the fewest local steps that fill the time', () => {
  expect(recommend(listCandidates(costs, { ...situation, workers: 1 })).strategy).toEqual({
    type: 'synchronous',
  });
  const link = parseLink('100mbit,20ms');
  const candidates = listCandidates(costs, { ...situation, link });
  const chosen = recommend(candidates);
  // 170 ms on the way: 1,500 of computing are nine tenths, and a shard's local step takes 6.
  expect(chosen.strategy).toEqual({ type: 'diloco', localSteps: 64 });
  expect(chosen.waitingShare).toBeLessThan(0.1);
  const hopeless = listCandidates(costs, { ...situation, link: parseLink('100kbit,900ms') });
  expect(recommend(hopeless).strategy).toEqual({ type: 'diloco', localSteps: 256 });
});

test('a lossy codec or the asynchronous strategy is never recommended', () => {
  const candidates = listCandidates(costs, { ...situation, link: parseLink('1mbit,1ms') }).filter(
    ({ strategy }) => strategy.type !== 'diloco',
  );
  expect(recommend(candidates)).toBe(candidates[0]);
  expect(() => recommend(candidates.slice(1))).toThrow(RangeError);
});
