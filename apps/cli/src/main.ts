import { Command, CommanderError } from 'commander';
import { toError } from '@gradwire/errors';
import { auditCommand } from './commands/audit.ts';
import type { CommandContext } from './commands/command.ts';
import { coordinatorCommand } from './commands/coordinator.ts';
import { diffCommand } from './commands/diff.ts';
import { drainCommand } from './commands/drain.ts';
import { doctorCommand } from './commands/doctor.ts';
import { evaluateCommand } from './commands/evaluate.ts';
import { nativeCommand } from './commands/native.ts';
import { planCommand } from './commands/plan.ts';
import { predictCommand } from './commands/predict.ts';
import { recipesCommand } from './commands/recipes.ts';
import { replayCommand } from './commands/replay.ts';
import { reproduceCommand } from './commands/reproduce.ts';
import { explainCommand, statusCommand } from './commands/status.ts';
import { simulateCommand } from './commands/simulate.ts';
import { trainCommand } from './commands/train.ts';
import { workerCommand } from './commands/worker.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import { createConsole } from './output/console.ts';
import { formatError } from './output/format-error.ts';
import { version } from './version.ts';

/** Runs the `gradwire` command and ends the process with a code of {@link exitCodes}. */
export async function main(args: readonly string[]): Promise<never> {
  const console = createConsole();
  const stop = new AbortController();
  const wantsJson = args.includes('--json');
  let code: number = exitCodes.ok.code;
  listen(stop, (interrupted) => {
    code = interrupted;
  });
  const program = createProgram({ console, signal: stop.signal, exit: (next) => (code = next) });
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    console.settle();
    if (error instanceof CommanderError) {
      code = error.exitCode === 0 ? exitCodes.ok.code : exitCodes.usage.code;
      // Commander has said it on stderr; a program that reads stdout hears it too.
      if (code !== 0 && wantsJson)
        console.json({
          event: 'error',
          code: 'OPTION_INVALID',
          message: error.message.replace(/^error: /, ''),
        });
    } else if (!(stop.signal.aborted && isCancellation(error))) {
      code = exitCodeOf(error);
      if (wantsJson) console.json({ event: 'error', ...describe(error) });
      console.say(formatError(error, console.colors));
    }
  }
  await flushed();
  process.exit(code);
}

function createProgram(context: Omit<CommandContext, 'program'>): Command {
  const program = new Command('gradwire')
    .description(
      'Distributed data-parallel training for TensorFlow.js: the same bits for any number of workers.',
    )
    .version(version, '-V, --version')
    .showSuggestionAfterError()
    .showHelpAfterError('(--help shows the options and examples)')
    .exitOverride();
  const full: CommandContext = { ...context, program };
  const commands = [
    trainCommand(full),
    coordinatorCommand(full),
    workerCommand(full),
    statusCommand(full),
    explainCommand(full),
    drainCommand(full),
    evaluateCommand(full),
    predictCommand(full),
    auditCommand(full),
    diffCommand(full),
    reproduceCommand(full),
    replayCommand(full),
    recipesCommand(full),
    planCommand(full),
    simulateCommand(full),
    doctorCommand(full),
    nativeCommand(full),
  ];
  for (const command of commands) program.addCommand(command.copyInheritedSettings(program));
  return program;
}

/** The first signal asks to stop in order; the second one ends the process at once. */
function listen(stop: AbortController, onStop: (code: number) => void): void {
  const codes = { SIGINT: exitCodes.interrupted.code, SIGTERM: exitCodes.terminated.code } as const;
  for (const [signal, code] of Object.entries(codes)) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(code);
      onStop(code);
      stop.abort(signal);
    });
  }
}

/** What follows from being asked to stop is no error of its own. */
function isCancellation(thrown: unknown): boolean {
  const { name, code } = toError(thrown) as { name: string; code?: string };
  return code === 'CANCELLED' || name === 'AbortError';
}

function describe(thrown: unknown): Record<string, unknown> {
  const error = toError(thrown);
  const { code = 'INTERNAL', hint } = error as { code?: string; hint?: string };
  return { code, message: error.message, ...(hint === undefined ? {} : { hint }) };
}

/** Waits until what was printed has left: `process.exit` cuts a pipe short. */
async function flushed(): Promise<void> {
  await Promise.all(
    [process.stdout, process.stderr].map(
      (stream) => new Promise((done) => (stream.writable ? stream.write('', done) : done(undefined))),
    ),
  );
}
