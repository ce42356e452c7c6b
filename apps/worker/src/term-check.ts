import { GradwireError } from '@gradwire/errors';
import type { WelcomeMessage } from '@gradwire/protocol';

type Term = Pick<WelcomeMessage, 'run' | 'runId' | 'term'>;

/**
 * Remembers the newest coordinator of the run. The check throws CONNECTION_FAILED for an older one: it was stopped for a
 * while and does not know yet that another one goes on with its run. The worker tries again later.
 */
export function createTermCheck(): (welcome: Term) => void {
  let newest: Term | undefined;
  return ({ run, runId, term }) => {
    if (runId === newest?.runId && term < newest.term) {
      throw new GradwireError(
        'CONNECTION_FAILED',
        `coordinator ${term} of ${run} has been replaced by coordinator ${newest.term}`,
      );
    }
    newest = { run, runId, term };
  };
}
