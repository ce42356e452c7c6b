import { Command, CommanderError } from 'commander';
import { toError } from '@gradwire/errors';
import type { CommandContext } from './commands/command.ts';
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
  hideToken(args);
  const context = { console, signal: stop.signal, exit: (next: number) => (code = next) };
  try {
    const program = await createProgram(args, context);
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

/** The list of processes shows a title instead of the command line, if that has a token. */
function hideToken(args: readonly string[]): void {
  const address = args.find((arg) => arg.includes('#'));
  const hasToken = args.some((arg) => arg === '--token' || arg.startsWith('--token='));
  if (address !== undefined) process.title = `gradwire ${args[0]} ${address.slice(0, address.indexOf('#'))}`;
  else if (hasToken) process.title = `gradwire ${args[0]}`;
}

/** In the order of the help. Each is loaded alone where it is asked for: together they load half a second longer. */
const commands: Readonly<Record<string, () => Promise<(context: CommandContext) => Command>>> = {
  train: async () => (await import('./commands/train.ts')).trainCommand,
  coordinator: async () => (await import('./commands/coordinator.ts')).coordinatorCommand,
  worker: async () => (await import('./commands/worker.ts')).workerCommand,
  status: async () => (await import('./commands/status.ts')).statusCommand,
  explain: async () => (await import('./commands/status.ts')).explainCommand,
  drain: async () => (await import('./commands/drain.ts')).drainCommand,
  evaluate: async () => (await import('./commands/evaluate.ts')).evaluateCommand,
  predict: async () => (await import('./commands/predict.ts')).predictCommand,
  audit: async () => (await import('./commands/audit.ts')).auditCommand,
  diff: async () => (await import('./commands/diff.ts')).diffCommand,
  reproduce: async () => (await import('./commands/reproduce.ts')).reproduceCommand,
  replay: async () => (await import('./commands/replay.ts')).replayCommand,
  recipes: async () => (await import('./commands/recipes.ts')).recipesCommand,
  plan: async () => (await import('./commands/plan.ts')).planCommand,
  simulate: async () => (await import('./commands/simulate.ts')).simulateCommand,
  doctor: async () => (await import('./commands/doctor.ts')).doctorCommand,
  native: async () => (await import('./commands/native.ts')).nativeCommand,
};

type Surroundings = Omit<CommandContext, 'program' | 'isSetting'>;

function load(names: readonly string[], given: Omit<CommandContext, 'isSetting'>): Promise<Command[]> {
  const isSetting = async (name: string): Promise<boolean> => {
    const all = await load(Object.keys(commands), given);
    return all.some(({ options }) => options.some((option) => option.attributeName() === name));
  };
  const context = { ...given, isSetting };
  return Promise.all(names.map(async (name) => (await commands[name]!())(context)));
}

async function createProgram(args: readonly string[], surroundings: Surroundings): Promise<Command> {
  const program = new Command('gradwire')
    .description(
      'Distributed data-parallel training for TensorFlow.js: the same bits for any number of workers.',
    )
    .version(version, '-V, --version')
    .showSuggestionAfterError()
    .showHelpAfterError('(--help shows the options and examples)')
    .exitOverride();
  const [first = ''] = args;
  const names = Object.hasOwn(commands, first) ? [first] : Object.keys(commands);
  for (const command of await load(names, { ...surroundings, program })) {
    program.addCommand(command.copyInheritedSettings(program));
  }
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
