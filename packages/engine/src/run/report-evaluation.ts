import { withAgreed } from './count.ts';
import type { EngineEffect, EnginePlan } from '../events.ts';
import type { Sums } from '../tree/sums.ts';
import type { ActiveRound } from './state.ts';

/** Turns the sums over all blocks of a split into an evaluation record. */
export function reportEvaluation(
  plan: EnginePlan,
  active: ActiveRound,
  { samples, metrics }: Sums,
): EngineEffect[] {
  const [loss = 0, correct = 0, ...counts] = metrics;
  const { classes } = plan;
  const { round } = active;
  return [
    {
      type: 'evaluated',
      record: {
        split: round.split ?? 'test',
        step: round.version,
        epoch: round.epoch + 1,
        samples,
        loss: loss / samples,
        accuracy: correct / samples,
        confusion: Array.from({ length: classes }, (_, row) =>
          counts.slice(row * classes, (row + 1) * classes),
        ),
      },
      contributions: withAgreed(active),
    },
  ];
}
