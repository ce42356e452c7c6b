import { GradwireError } from '@gradwire/errors';
import type { Ending } from './ending.ts';
import type { RunResult } from './events.ts';
import { type ResultSource, writeResult } from './result.ts';
import type { RunStorage } from './storage/open-storage.ts';
import type { Snapshots } from './storage/snapshots.ts';

/** What is left to do at the end of a run, and with what. */
export interface FinishOptions extends Omit<ResultSource, 'incidents'> {
  readonly ending: Ending;
  readonly storage: RunStorage;
  readonly snapshots: Snapshots;
  readonly onProblem: (error: Error) => void;
}

/**
 * Waits for the end of a run, tells the workers, and writes the files. Rejects with RUN_TAKEN, and writes nothing, if
 * another coordinator has taken over.
 */
export async function finishRun(options: FinishOptions): Promise<RunResult> {
  const { ending, storage, snapshots, sessions, recorder, onProblem } = options;
  const { claim } = storage;
  const ended = await Promise.race([ending.ended, claim.lost]);
  if (ended instanceof GradwireError) return giveUp(options, ended);
  // Asked once more: whoever is told of an end does not look for the other coordinator.
  const taken = await claim.check();
  if (taken) return giveUp(options, taken);
  const { outcome, failure } = ended;
  if (outcome === 'stopped') sessions.suspend(`stopped after step ${recorder.steps}; the run may be resumed`);
  else sessions.sayGoodbye(outcome, failure?.message ?? '');
  await snapshots.settled();
  await storage.incidents.settled();
  claim.close();
  const takenLate = await claim.check();
  if (takenLate) throw takenLate;
  const { count: incidents } = storage.incidents;
  const result = await writeResult({ ...options, incidents }, ended);
  if (outcome === 'finished') await claim.finish().catch(onProblem);
  return result;
}

/** Sends the workers to the coordinator that has taken over. */
async function giveUp(options: FinishOptions, taken: GradwireError): Promise<never> {
  const { storage, sessions, recorder, run, onProblem } = options;
  storage.claim.close();
  // What came last is written down, and nothing after it: the files are closed.
  run.dispatch({ type: 'operator-asked', request: 'stop' });
  sessions.suspend('another coordinator has taken over the run');
  await recorder.close().catch(onProblem);
  throw taken;
}
