import type { EngineEffect, RunError } from '@gradwire/engine';
import type { IncidentFacts } from './storage/incident-log.ts';

/** What of an effect belongs into the list of incidents: one of them, or nothing. */
export function incidentsOf(effect: EngineEffect): IncidentFacts[] {
  switch (effect.type) {
    case 'incident': {
      const { what, round, lo, hi, answers, message } = effect.incident;
      const isStep = round.task === 'step';
      const shards = isStep ? { shards: Array.from({ length: hi - lo }, (_, i) => lo + i) } : {};
      const workers = answers.map(({ worker }) => worker);
      const sums = answers.map(({ digest }) => digest);
      return [{ what, step: round.version + (isStep ? 1 : 0), ...shards, workers, sums, message }];
    }
    case 'expel':
      return [{ what: 'expelled', workers: [effect.worker], message: effect.message }];
    case 'roll-back': {
      const { step, worker } = effect;
      const message = `back to a snapshot of at most step ${step}: ${worker} computed wrong numbers since`;
      return [{ what: 'rolled-back', step, workers: [worker], message }];
    }
    case 'end':
      return effect.error ? [failureOf(effect.error)] : [];
    default:
      return [];
  }
}

function failureOf({ message, place }: RunError): IncidentFacts {
  if (place?.round.task !== 'step') return { what: 'failed', message };
  const { round, leaf, workers } = place;
  return { what: 'failed', step: round.version + 1, shards: [leaf], workers, message };
}
