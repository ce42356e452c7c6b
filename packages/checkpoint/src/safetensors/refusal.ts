import { GradwireError } from '@gradwire/errors';

/** Throws FILE_CORRUPT with one sentence: `expected …, found …`. */
export type Refuse = (expected: string, found: string) => never;

/** A {@link Refuse} whose messages begin with the file's name. */
export function refusal(name: string): Refuse {
  return (expected, found) => {
    throw new GradwireError('FILE_CORRUPT', `${name}: expected ${expected}, found ${found}`);
  };
}
