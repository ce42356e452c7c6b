import { expect, test } from 'vitest';
import { errorCodes, GradwireError, toError } from './index.ts';

test('an error carries its code, cause and hint', () => {
  const cause = new Error('ENOSPC');
  const error = new GradwireError('FILE_WRITE_FAILED', 'snapshot not written', {
    cause,
    hint: 'Free some space.',
  });
  expect(error).toBeInstanceOf(Error);
  expect({ ...error, cause: error.cause }).toMatchObject({
    code: 'FILE_WRITE_FAILED',
    hint: 'Free some space.',
    cause,
  });
});

test('every code has a sentence', () => {
  for (const sentence of Object.values(errorCodes)) expect(sentence).toMatch(/^[A-Z].*\.$/);
});

test('toError keeps errors and wraps anything else', () => {
  const error = new RangeError('x');
  expect(toError(error)).toBe(error);
  expect(toError('boom').message).toBe('boom');
});
