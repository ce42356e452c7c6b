import type { CoordinatorEvent, FailureReport, RunResult } from '@gradwire/coordinator';
import type { Recipe } from '@gradwire/recipes';
import { formatEnd, formatProgress, nextCommands } from '@gradwire/report';
import type { LocalWorkerEvent } from '../processes/local-workers.ts';
import type { Console } from './console.ts';
import { describeEvent, describeProcess } from './event-lines.ts';
import { programName } from './program-name.ts';
import { relativePath } from './relative-path.ts';

/** Shows a run: JSON lines on stdout if asked for; lines and a live progress line on stderr. */
export interface RunOutput {
  handle(event: CoordinatorEvent): void;
  handleProcess(event: LocalWorkerEvent): void;
  end(result: RunResult): void;
}

export interface RunOutputOptions {
  readonly console: Console;
  readonly json: boolean;
  readonly recipe: Recipe;
}

const plainEveryMs = 10_000;

export function createRunOutput({ console, json, recipe }: RunOutputOptions): RunOutput {
  const { colors } = console;
  let toldMs = performance.now();
  const progress = (event: Extract<CoordinatorEvent, { type: 'step' }>): void => {
    const line = formatProgress(
      { ...event, ...event.record, epochs: recipe.epochs },
      { width: console.columns, colors },
    );
    console.live(line);
    if (console.isTerminal || performance.now() - toldMs < plainEveryMs) return;
    toldMs = performance.now();
    console.say(line);
  };
  return {
    handle(event) {
      if (json) console.json(toJson(event));
      if (event.type === 'step') return progress(event);
      const line = describeEvent(event, colors);
      if (line !== undefined) console.say(line);
    },
    handleProcess(event) {
      if (json) console.json(toJson(event));
      const line = describeProcess(event, colors);
      if (line !== undefined) console.say(line);
    },
    end(result) {
      console.settle();
      const { outcome, summary, failure } = result;
      if (failure) console.say(describeFailure(failure, colors));
      if (json)
        console.json({ event: 'end', outcome, summary, ...(failure === undefined ? {} : { failure }) });
      else console.print(`\n${endText(result, colors)}\n`);
    },
  };
}

/** `{ event: 'step', … }`: the form of every JSON line. */
function toJson({ type, ...rest }: CoordinatorEvent | LocalWorkerEvent): Record<string, unknown> {
  return { event: type, ...rest };
}

/** The first cause over all machines: who, what, where in the code, and what was said before. */
function describeFailure(
  { worker, code, message, stack, log }: FailureReport,
  colors: Console['colors'],
): string {
  const who = worker === undefined ? 'the coordinator' : worker;
  const lines = [`${colors.red('failed')} first on ${who}: ${message} ${colors.dim(`(${code})`)}`];
  if (stack) lines.push(colors.dim(stack.replaceAll(/^/gm, '    ')));
  if (log && log.length > 0)
    lines.push(`  last lines of ${who}:`, ...log.map((line) => colors.dim(`    ${line}`)));
  return lines.join('\n');
}

function endText({ summary, classNames, curve, files }: RunResult, colors: Console['colors']): string {
  const directory = relativePath(summary.directory);
  return formatEnd(summary, {
    classNames,
    curve,
    files: files.map(relativePath),
    commands: nextCommands(directory, programName()),
    colors,
  });
}
