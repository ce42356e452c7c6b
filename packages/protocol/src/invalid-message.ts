import { GradwireError } from '@gradwire/errors';
import { cleanLine } from './clean-text.ts';

/** The error of everything that decoding refuses. `what` may quote the peer: it is cleaned, cut, and made one line. */
export function invalidMessage(what: string, cause?: unknown): GradwireError {
  return new GradwireError('MESSAGE_INVALID', cleanLine(what, 500), {
    hint: 'Run the same version of Gradwire on every machine; if it is the same, this is a defect: please report it.',
    ...(cause === undefined ? {} : { cause }),
  });
}
