import { setImmediate } from 'node:timers/promises';
import { GradwireError } from '@gradwire/errors';

/** Throws CANCELLED if the command was asked to stop, also while work that does not wait kept it from hearing so. */
export async function hearSignal(signal: AbortSignal): Promise<void> {
  await setImmediate();
  if (signal.aborted) throw new GradwireError('CANCELLED', 'stopped on request');
}
