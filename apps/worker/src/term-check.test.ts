import { expect, test } from 'vitest';
import { createTermCheck } from './term-check.ts';

test('a worker follows its run to newer coordinators, never back to an older one', () => {
  const check = createTermCheck();
  for (const term of [1, 1, 3]) check({ run: 'r', term });
  expect(() => check({ run: 'r', term: 2 })).toThrow(/coordinator 2 of r has been replaced by coordinator 3/);
  check({ run: 'r', term: 3 });
  check({ run: 'another', term: 1 });
});
