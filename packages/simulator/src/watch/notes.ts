import type { EngineEffect, EngineEvent } from '@gradwire/engine';
import type { Trace } from '../base/trace.ts';

/** Takes an event into the trace. */
export function noteEvent(trace: Trace, event: EngineEvent): void {
  trace.note(event.type, event.atMs);
  if ('worker' in event) trace.note(event.worker);
  if (event.type !== 'partial-arrived') return;
  const { round, lo, hi, samples, gradient } = event.partial;
  trace.note('', round, lo, hi, samples);
  trace.bits(gradient);
}

/** Takes an effect into the trace. */
export function noteEffect(trace: Trace, effect: EngineEffect): void {
  trace.note(effect.type);
  switch (effect.type) {
    case 'prepare':
      return trace.note(effect.worker, ...effect.shards);
    case 'publish':
      trace.note(effect.workers.join(' '), effect.version);
      return trace.bits(effect.weights);
    case 'lease':
      return trace.note(effect.worker, effect.round.index, effect.round.version, ...effect.leaves);
    case 'commit': {
      const { step, samples, loss, gradientNorm, contributions } = effect.record;
      trace.note('', step, samples, loss, gradientNorm);
      for (const { worker, lo, hi } of contributions) trace.note(worker, lo, hi);
      return;
    }
    case 'evaluated':
      return trace.note(effect.record.split, effect.record.step, effect.record.loss);
    case 'epoch-done':
      return trace.note('', effect.epoch, effect.loss, effect.accuracy);
    case 'expel':
      return trace.note(effect.worker + effect.message);
    case 'end':
      return trace.note(effect.outcome);
    default:
      trace.note(JSON.stringify(effect));
  }
}
