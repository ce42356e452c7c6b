import type { Round } from '@gradwire/engine';
import type { Feedback, GradientCoding, LeaseMessage } from '@gradwire/protocol';

/** What is to be computed. */
export interface LeasedWork {
  readonly round: Round;
  readonly leaves: readonly number[];
  readonly feedback?: Feedback | undefined;
}

/** How a worker is told; only gradients are coded. */
export function leaseOf(
  { round, leaves, feedback }: LeasedWork,
  term: number,
  coding: GradientCoding | undefined,
): LeaseMessage {
  const { index, task, version, epoch, step, split, leafCount } = round;
  return {
    type: 'lease',
    term,
    round: index,
    task,
    version,
    step,
    epoch,
    leaves,
    leafCount,
    ...(split === undefined ? {} : { split }),
    ...(coding === undefined || task !== 'step' ? {} : { coding }),
    ...(feedback === undefined ? {} : { feedback }),
  };
}
