import { GradwireError, toError } from '@gradwire/errors';

/** Whether an error of `node:fs` has this code. */
export function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && codes.includes((error as NodeJS.ErrnoException).code ?? '');
}

/** Turns a failure to read `path` into the error that a person sees; passes our own errors through. */
export function readFailure(path: string, thrown: unknown): GradwireError {
  if (thrown instanceof GradwireError) return thrown;
  const cause = toError(thrown);
  if (cause.name === 'AbortError') return cancelled(cause);
  if (hasCode(cause, 'ENOENT', 'ENOTDIR')) {
    return new GradwireError('DATA_NOT_FOUND', `${path}: there is no such file`, {
      cause,
      hint: 'Check the path.',
    });
  }
  return new GradwireError('DATA_NOT_FOUND', `${path}: cannot be read (${cause.message})`, {
    cause,
    hint: 'Check that it is a file and that you may read it.',
  });
}

/** Turns a failure to write `path` into the error that a person sees; passes our own errors through. */
export function writeFailure(path: string, thrown: unknown): GradwireError {
  if (thrown instanceof GradwireError) return thrown;
  const cause = toError(thrown);
  if (cause.name === 'AbortError') return cancelled(cause);
  return new GradwireError('FILE_WRITE_FAILED', `${path}: cannot be written (${cause.message})`, {
    cause,
    hint: 'Check the free space and the permissions of the folder, or choose another one.',
  });
}

/** The error of an operation that a caller's `signal` stopped. */
export function cancelled(cause: unknown): GradwireError {
  return new GradwireError('CANCELLED', 'reading the data was stopped on request', { cause });
}
