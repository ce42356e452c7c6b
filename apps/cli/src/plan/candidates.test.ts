import { findRecipe } from '@gradwire/recipes';
import { expect, test } from 'vitest';
import { codecCandidates, listCandidates, recommend, recommendCodec, type Situation } from './candidates.ts';
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
  threads: 1,
  link: loopback,
};

test('the codecs, local steps and strategies that make a difference are listed', () => {
  const candidates = listCandidates(costs, situation);
  expect(candidates.map(({ strategy, codec }) => [strategy.type, codec.name])).toEqual([
    ['synchronous', 'float32'],
    ['synchronous', 'bfloat16'],
    ['synchronous', 'int8'],
    ['synchronous', 'top-k'],
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
  // One epoch has 15 steps of 32 local ones; more would leave too few.
  const recipe = { ...situation.recipe, epochs: 1 };
  const short = listCandidates(costs, { ...situation, recipe, link });
  expect(recommend(short).strategy).toEqual({ type: 'diloco', localSteps: 32 });
});

test('local steps that train on fewer samples a second are not recommended, however little they wait', () => {
  // Four small shards in one pass take less than two alone, which local steps do.
  const joined = { ...costs, commitMs: 5, pass: { leaves: 4, ms: 8 } };
  const candidates = listCandidates(joined, situation);
  expect(candidates[0]?.waitingShare).toBeGreaterThan(0.1);
  expect(recommend(candidates).strategy).toEqual({ type: 'synchronous' });
  const link = parseLink('20mbit,50ms');
  expect(recommend(listCandidates(joined, { ...situation, link })).strategy.type).toBe('diloco');
});

test('a lossy codec or the asynchronous strategy is never recommended', () => {
  const candidates = listCandidates(costs, { ...situation, link: parseLink('1mbit,1ms') }).filter(
    ({ strategy }) => strategy.type !== 'diloco',
  );
  expect(recommend(candidates)).toBe(candidates[0]);
  expect(() => recommend(candidates.slice(1))).toThrow(RangeError);
});

test('auto: float32 where that is quick enough, else the first codec that is, or the least waiting', () => {
  const choose = (link: string, recipe = situation.recipe) =>
    recommendCodec(
      codecCandidates({ ...costs, commitMs: 0.2 }, { ...situation, recipe, link: parseLink(link) }),
    ).codec;
  expect(choose('100gbit,0.01ms').spec).toEqual({});
  // Computing takes 20 ms, the rest 1.3; 0.9 MB down and up take 1.4 ms: to save half of that is not worth a loss.
  expect(choose('10gbit,0.05ms').name).toBe('float32');
  // Each of two workers then sends the sum over its four shards.
  expect(choose('20mbit,50ms').spec).toEqual({
    gradients: { type: 'int8', shards: 4 },
    weights: 'bfloat16',
  });
  const strategy = { type: 'diloco', localSteps: 1000 } as const;
  expect(choose('20mbit,50ms', { ...situation.recipe, strategy }).name).toBe('float32');
});

test('where all wait nearly all of the time, the shortest step decides, not by how much chance lets them wait less', () => {
  const [float32, , int8] = codecCandidates(costs, { ...situation, link: parseLink('20mbit,50ms') });
  if (!float32 || !int8) throw new Error('expected candidates');
  const tried = [
    { codec: float32.codec, stepMs: 1_815, waitingShare: 0.983 },
    { codec: int8.codec, stepMs: 680, waitingShare: 0.994 },
  ];
  expect(recommendCodec(tried).codec.name).toBe('int8');
});
