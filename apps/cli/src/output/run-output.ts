import type { CoordinatorEvent, RunResult } from '@gradwire/coordinator';
import type { Recipe } from '@gradwire/recipes';
import { formatPercent, formatProgress } from '@gradwire/report';
import type { LocalWorkerEvent } from '../processes/local-workers.ts';
import type { Console } from './console.ts';
import { describeEvent, describeProcess } from './event-lines.ts';

/** Shows a run while it goes on: JSON lines on stdout if asked for, lines and a live progress line on stderr. */
export interface RunOutput {
  handle(event: CoordinatorEvent): void;
  handleProcess(event: LocalWorkerEvent): void;
}

const plainEveryMs = 10_000;

export function createRunOutput(console: Console, json: boolean, recipe: Recipe): RunOutput {
  let toldMs = performance.now();
  const progress = (event: Extract<CoordinatorEvent, { type: 'step' }>): void => {
    const { record, totalSteps, samplesPerSecond, secondsLeft, workers } = event;
    const line = formatProgress(
      { ...record, totalSteps, samplesPerSecond, secondsLeft, workers, epochs: recipe.epochs },
      { columns: console.columns },
    );
    console.live(line);
    if (console.isTerminal || performance.now() - toldMs < plainEveryMs) return;
    toldMs = performance.now();
    console.say(line);
  };
  return {
    handle(event) {
      if (json && event.type !== 'end') console.json(toJson(event));
      if (event.type === 'step') return progress(event);
      const line = describeEvent(event, console.colors);
      if (line !== undefined) console.say(line);
      if (event.type === 'end') console.settle();
    },
    handleProcess(event) {
      if (json) console.json(toJson(event));
      const line = describeProcess(event, console.colors);
      if (line !== undefined) console.say(line);
    },
  };
}

/** `{ event: 'step', … }`: the form of every JSON line. */
function toJson({ type, ...rest }: CoordinatorEvent | LocalWorkerEvent): Record<string, unknown> {
  return { event: type, ...rest };
}
