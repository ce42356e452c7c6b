import type { CoordinatorEvent, FailureReport, RunResult } from '@gradwire/coordinator';
import type { CodecSpec } from '@gradwire/recipes';
import { formatEnd, formatProgress, type NextCommand, nextCommands } from '@gradwire/report';
import type { LocalWorkerEvent } from '../processes/local-workers.ts';
import { defaultRecipe } from '../settings/default-recipe.ts';
import type { Console } from './console.ts';
import { describeEvent, describeProcess } from './event-lines.ts';
import { createProgressLine } from './progress-line.ts';
import { programName } from './program-name.ts';
import { relativePath } from './relative-path.ts';

/** How `--codec auto` comes to its choice. */
export type CodecEvent =
  /** The first worker is waited for, to be measured. */
  | { readonly type: 'measuring'; readonly host: string; readonly port: number }
  | { readonly type: 'codec-chosen'; readonly codec: CodecSpec; readonly reason: string };

/** Shows a run: JSON lines on stdout if asked for; lines and a live progress line on stderr. */
export interface RunOutput {
  handle(event: CoordinatorEvent): void;
  handleCodec(event: CodecEvent): void;
  handleProcess(event: LocalWorkerEvent): void;
  end(result: RunResult, again: AgainArguments): void;
}

/** How the command line would run it again. */
export interface AgainArguments {
  /** What a repetition needs besides the recipe to give the same bits. */
  readonly repeat?: readonly string[];
  /** The command that goes on with it, and what it needs besides the run directory. */
  readonly resume: readonly string[];
}

export function createRunOutput(console: Console, json: boolean): RunOutput {
  const { colors } = console;
  const progress = createProgressLine(console);
  return {
    handle(event) {
      if (json) console.json(toJson(event));
      if (event.type === 'step') {
        return progress(formatProgress({ ...event, ...event.record }, { width: console.columns, colors }));
      }
      const line = describeEvent(event, colors);
      if (line !== undefined) console.say(line);
    },
    handleCodec(event) {
      if (json) console.json(toJson(event));
      const text = event.type === 'measuring' ? 'waiting for the first worker, to measure it' : event.reason;
      console.say(`codec auto: ${text}`);
    },
    handleProcess(event) {
      if (event.type === 'none-left') return;
      if (json) console.json(toJson(event));
      console.say(describeProcess(event, colors));
    },
    end(result, again) {
      console.settle();
      const { outcome, summary, failure, problems } = result;
      if (failure) console.say(describeFailure(failure, colors));
      for (const problem of problems) console.say(colors.red(`not written: ${problem}`));
      const cause = failure === undefined ? {} : { failure };
      if (json) console.json({ event: 'end', outcome, summary, problems, ...cause });
      else console.print(`\n${endText(result, again, colors)}\n`);
    },
  };
}

/** `{ event: 'step', … }`: the form of every JSON line. */
function toJson({
  type,
  ...rest
}: CoordinatorEvent | CodecEvent | LocalWorkerEvent): Record<string, unknown> {
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

function endText(
  { outcome, summary, classNames, curve, files, problems }: RunResult,
  { repeat = [], resume }: AgainArguments,
  colors: Console['colors'],
): string {
  const directory = relativePath(summary.directory);
  const program = programName();
  const isWhole = problems.length === 0;
  const all = nextCommands(directory, {
    program,
    repeat,
    ...(outcome === 'finished' && isWhole ? {} : { resume }),
  });
  // Going on writes what could not be written; without a model there is nothing to evaluate.
  const next = isWhole ? all : all.filter(({ label }) => label === 'resume');
  if (summary.recipe === defaultRecipe && isWhole) next.push(articleCommand(program));
  return formatEnd(summary, {
    classNames,
    curve,
    files: files.map(relativePath),
    // Weights that no step has changed are of no use.
    commands: summary.steps === 0 ? [] : next,
    colors,
  });
}

/** Where to go from the default recipe: the network and settings that this project is about. */
function articleCommand(program: string): NextCommand {
  return { label: 'article', command: `${program} train --recipe mnist-cnn` };
}
