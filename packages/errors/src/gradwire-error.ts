import type { ErrorCode } from './codes.ts';

/** Options of {@link GradwireError}. */
export interface GradwireErrorOptions {
  /** The error that led to this one. */
  cause?: unknown;
  /** What a person can do about it: an imperative sentence. */
  hint?: string;
}

/**
 * An operational failure: something outside the program's control went wrong and a person may act on it.
 * A caller's bug is a `TypeError` or `RangeError` instead; an expected outcome is a value.
 *
 * @example
 * throw new GradwireError('DATA_CORRUPT', 'train.gz: expected 47,040,016 bytes, found 1,024', {
 *   hint: 'Delete the file and run the command again: it will be downloaded anew.',
 * });
 */
export class GradwireError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: GradwireErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.name = 'GradwireError';
    this.code = code;
    this.hint = options.hint;
  }
}

/** Turns anything thrown into an `Error`, unchanged if it is one. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
