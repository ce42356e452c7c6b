import { readFile } from 'node:fs/promises';
import { GradwireError } from '@gradwire/errors';
import { expect, test } from 'vitest';
import { exitCodeOf, exitCodes } from './exit-codes.ts';

test('the documented table is the one in the code', async () => {
  const text = await readFile(new URL('../../../docs/exit-codes.md', import.meta.url), 'utf8');
  const rows = [...text.matchAll(/^\| (\d+) +\| (.*?) +\|$/gm)].map(([, code, meaning]) => ({
    code: Number(code),
    meaning,
  }));
  expect(rows).toEqual(Object.values(exitCodes));
});

test('an error we know has its code, any other is a defect of ours', () => {
  expect(exitCodeOf(new GradwireError('DATA_CORRUPT', 'x'))).toBe(4);
  expect(exitCodeOf(new TypeError('x'))).toBe(1);
});
