import { expect, test } from 'vitest';
import { describeJump } from './clock-watch.ts';

const before = { steadyMs: 1_000, wallMs: 500_000 };

test.each([
  [1_000, 1_000, undefined],
  [4_000, 4_000, undefined],
  [1_000, 3_000, undefined],
  [60_000, 60_000, 'the coordinator did not run for 60 s: deadlines start again'],
  [
    1_000,
    3_601_000,
    'the time of day jumped 3600 s forwards, or the machine slept: no deadline depends on it',
  ],
  [1_000, -3_599_000, 'the time of day jumped 3600 s back, or the machine slept: no deadline depends on it'],
])(
  'scenario 10: after %i ms, and %i ms of the day, an incident says what happened',
  (steadyMs, wallMs, expected) => {
    const now = { steadyMs: before.steadyMs + steadyMs, wallMs: before.wallMs + wallMs };
    expect(describeJump(before, now)).toBe(expected);
  },
);
