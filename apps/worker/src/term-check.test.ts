import { expect, test } from 'vitest';
import { createTermCheck } from './term-check.ts';

test('a worker follows its run to newer coordinators, never back to an older one', () => {
  const check = createTermCheck();
  const same = { run: '0001-x', runId: 'a1' };
  for (const term of [1, 1, 3]) check({ ...same, term });
  expect(() => check({ ...same, term: 2 })).toThrow(
    /coordinator 2 of 0001-x has been replaced by coordinator 3/,
  );
  check({ ...same, term: 3 });
});

test('a run of the same name in another folder is another run', () => {
  const check = createTermCheck();
  check({ run: '0001-x', runId: 'a1', term: 2 });
  check({ run: '0001-x', runId: 'b2', term: 1 });
});
