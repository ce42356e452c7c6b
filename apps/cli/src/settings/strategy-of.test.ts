import type { Strategy } from '@gradwire/recipes';
import { expect, test } from 'vitest';
import { type StrategySettings, strategyOf } from './strategy-of.ts';

const own: Strategy = { type: 'diloco', localSteps: 9, outerMomentum: 0.5 };

test.each<[string, StrategySettings, Strategy | undefined, Strategy | undefined]>([
  ['nothing given', {}, undefined, undefined],
  ['synchronous already', { strategy: 'synchronous' }, undefined, undefined],
  ['synchronous again', { strategy: 'synchronous' }, own, { type: 'synchronous' }],
  ['the recipe’s own', {}, own, own],
  ['other local steps', { localSteps: 4 }, own, { ...own, localSteps: 4 }],
  ['another type', { strategy: 'local-sgd' }, own, { type: 'local-sgd', localSteps: 32 }],
  ['asynchronous', { strategy: 'asynchronous' }, undefined, { type: 'asynchronous', maxStaleness: 4 }],
  [
    'staleness',
    { maxStaleness: 0 },
    { type: 'asynchronous', maxStaleness: 7 },
    { type: 'asynchronous', maxStaleness: 0 },
  ],
])('%s', (_, settings, before, expected) => {
  expect(strategyOf(settings, before)).toEqual(expected);
});

test('a number of another strategy is refused', () => {
  expect(() => strategyOf({ localSteps: 4 })).toThrow(
    '--local-steps belongs to --strategy local-sgd or diloco, found synchronous',
  );
  expect(() => strategyOf({ strategy: 'diloco', maxStaleness: 4 })).toThrow('found diloco');
});
