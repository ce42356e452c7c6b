import { createRunDirectory } from '@gradwire/checkpoint';
import {
  type Coordinator,
  type CoordinatorEvent,
  createCoordinator,
  type RunResult,
  type Splits,
} from '@gradwire/coordinator';
import { GradwireError } from '@gradwire/errors';
import type { Recipe } from '@gradwire/recipes';
import { createToken } from '@gradwire/transport';
import type { CommandContext } from '../commands/command.ts';
import { loadDataset } from '../datasets.ts';
import { exitCodes } from '../exit-codes.ts';
import { createDataLines } from '../output/data-lines.ts';
import { type AgainArguments, createRunOutput, type RunOutput } from '../output/run-output.ts';
import {
  type AutoCodecSettings,
  chooseCodec,
  type ChosenCodec,
  linkMisplaced,
} from '../plan/choose-codec.ts';
import { type FirstWorkerOptions, measureFirstWorker } from '../plan/measure-first-worker.ts';
import type { IsGiven } from '../settings/is-given.ts';
import { keptSettings, withKept } from './kept-settings.ts';
import { type ResolvedRun, resolveRun, type RunPlaceSettings } from './resolve-run.ts';
import { loadCertificate, type TlsSettings } from './tls-certificate.ts';

/** Settings that `train` and `coordinator` share, as commander parses them. */
export interface RunSettings extends RunPlaceSettings, AutoCodecSettings, TlsSettings {
  readonly dataDir?: string;
  readonly cacheDir?: string;
  readonly runDir: string;
  readonly verify?: number;
  readonly snapshotEvery?: number;
  readonly exact?: boolean;
  readonly allowHost?: readonly string[];
  readonly json?: boolean;
}

/** A coordinator that is listening, and how it is shown. */
export interface HostedRun {
  readonly coordinator: Coordinator;
  readonly data: Splits;
  readonly output: RunOutput;
  /** Shows the end and sets the exit code. */
  finish(again: AgainArguments): Promise<void>;
}

/** What {@link hostRun} is told besides the settings. */
export interface HostRunOptions {
  /** What is not given is as before in a run that goes on: its recipe and its address. */
  readonly isGiven: IsGiven;
  /** What the run cannot go without: before it is there, nobody is listened to and no folder made. */
  readonly ready?: Promise<unknown>;
  /** Workers may come; told once. Given if all of them come by themselves: then `--codec auto` measures the first one. */
  readonly onListening?: (coordinator: Coordinator) => void;
  /** Hears every event after it was shown. */
  readonly onEvent?: (event: CoordinatorEvent) => void;
}

function cannotVerify(): GradwireError {
  return new GradwireError('OPTION_INVALID', '--verify does not go with the asynchronous strategy', {
    hint: 'Choose another --strategy: only where the order of arrival does not matter can two workers be compared.',
  });
}

/** Loads recipe and data, listens, and makes the run directory. */
export async function hostRun(
  chosen: RunSettings,
  context: CommandContext,
  { isGiven, ready, onListening, onEvent }: HostRunOptions,
): Promise<HostedRun> {
  const { console, signal } = context;
  if (chosen.link !== undefined && chosen.codec !== 'auto') throw linkMisplaced(chosen.codec);
  const resolved = await resolveRun(chosen, isGiven);
  const { recipe: given, hash, host, stored, token = createToken() } = resolved;
  const { settings, again } = withKept(chosen, stored?.claim?.settings);
  const { dataDir, cacheDir, runDir, snapshotEvery, exact, verify, allowHost } = settings;
  const tls = await loadCertificate(settings);
  if (exact) checkExact(given);
  if (verify !== undefined && given.strategy?.type === 'asynchronous') throw cannotVerify();
  const onData = createDataLines(console);
  const data = await loadDataset(given.dataset, { dataDir, cacheDir, signal, onEvent: onData });
  await ready;
  const output = createRunOutput(console, settings.json === true);
  const place = {
    recipeHash: hash,
    data,
    host,
    port: resolved.port,
    token,
    ...(tls ? { tls } : {}),
    ...(allowHost ? { hosts: allowHost } : {}),
  };
  const codec = await codecFor(resolved, settings, { console, signal, output, place, onListening });
  const { recipe, port, reason } = codec;
  console.say(`${recipe.name}: ${recipe.description}`);
  if (again.length > 0) console.say(`as before: ${again.join(' ')}`);
  const coordinator = await createCoordinator({
    ...place,
    recipe,
    ...(port === undefined ? {} : { port }),
    createDirectory: async () => stored?.directory ?? createRunDirectory(runDir, recipe.name),
    resume: stored !== undefined,
    snapshotEvery,
    exact,
    verify,
    codecChoice: reason,
    settings: { ...keptSettings(settings), ...(reason === undefined ? {} : { codecAuto: reason }) },
    onEvent: (event) => {
      output.handle(event);
      onEvent?.(event);
    },
  });
  // Who came to be measured has been told.
  if (port === undefined) onListening?.(coordinator);
  if (signal.aborted) coordinator.stop();
  signal.addEventListener('abort', coordinator.stop, { once: true });
  return {
    coordinator,
    data,
    output,
    async finish(again) {
      const result = await coordinator.done;
      await coordinator.close();
      output.end(result, again);
      const code = exitCodeOf(result);
      if (code !== undefined) context.exit(code);
    },
  };
}

function exitCodeOf({ outcome, problems }: RunResult): number | undefined {
  if (outcome === 'failed') return exitCodes.training.code;
  return problems.length > 0 ? exitCodes.write.code : undefined;
}

interface CodecContext extends Pick<CommandContext, 'console' | 'signal'> {
  readonly output: RunOutput;
  readonly place: Omit<FirstWorkerOptions, 'recipe' | 'signal' | 'onJoined' | 'onListening'>;
  readonly onListening: HostRunOptions['onListening'];
}

/** What `--codec auto` chooses before the first step of a run, and never again. */
async function codecFor(
  { recipe, stored }: ResolvedRun,
  settings: RunSettings,
  { console, signal, output, place, onListening }: CodecContext,
): Promise<Partial<ChosenCodec> & Pick<ChosenCodec, 'recipe'>> {
  const before = stored?.claim?.settings?.['codecAuto'];
  if (typeof before === 'string') {
    console.say(`codec auto, as before: ${before}`);
    return { recipe, reason: before };
  }
  if (settings.codec !== 'auto' || stored) return { recipe };
  const measure =
    onListening &&
    ((tried: Recipe, port?: number) =>
      measureFirstWorker({
        ...place,
        ...(port === undefined ? {} : { port }),
        recipe: tried,
        signal,
        onListening(coordinator) {
          if (port !== undefined) return;
          output.handleCodec({ type: 'measuring', host: coordinator.host, port: coordinator.port });
          onListening(coordinator);
        },
        onJoined: (worker) =>
          console.say(
            `codec auto: measuring steps of ${worker} with ${tried.codec?.gradients?.type ?? 'float32'}`,
          ),
      }));
  const chosen = await chooseCodec({ recipe, data: place.data, measure }, settings, console);
  output.handleCodec({ type: 'codec-chosen', codec: chosen.recipe.codec ?? {}, reason: chosen.reason });
  return chosen;
}

function checkExact({ name, strategy }: Recipe): void {
  if (strategy?.type !== 'asynchronous') return;
  throw new GradwireError(
    'OPTION_INVALID',
    `--exact: ${name} is trained asynchronously, which is never exact`,
    {
      hint: 'Leave --exact out, or choose another strategy.',
    },
  );
}
