import { GradwireError } from '@gradwire/errors';
import type { OpenRun } from './open-run.ts';

/** Throws OPTION_INVALID for a run whose steps nobody can make again: other weights would prove nothing. */
export function refuseAsynchronous(
  { recipe, directory }: OpenRun,
  action: 'compare' | 'replay' | 'reproduce',
): void {
  if (recipe.strategy?.type !== 'asynchronous') return;
  throw new GradwireError(
    'OPTION_INVALID',
    `cannot ${action}: ${directory.name} was trained asynchronously: its weights depend on the order of arrival`,
  );
}
