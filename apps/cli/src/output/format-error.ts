import { GradwireError, toError } from '@gradwire/errors';
import type { Console } from './console.ts';

/** An error for people: what happened, the causes, what to do; the stack only for a defect of ours. */
export function formatError(thrown: unknown, colors: Console['colors']): string {
  const error = toError(thrown);
  const isKnown = error instanceof GradwireError;
  const lines = [`${colors.red('error')} ${error.message}${isKnown ? colors.dim(` (${error.code})`) : ''}`];
  for (let cause = error.cause; cause !== undefined; cause = toError(cause).cause) {
    lines.push(colors.dim(`  because: ${toError(cause).message}`));
  }
  if (isKnown && error.hint !== undefined) lines.push(`  ${colors.bold('to do:')} ${error.hint}`);
  if (!isKnown)
    lines.push(
      colors.dim(error.stack ?? ''),
      '  This is a defect of Gradwire. `gradwire doctor` prints what to put into a report.',
    );
  return lines.join('\n');
}
