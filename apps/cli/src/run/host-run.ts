import { createRunDirectory } from '@gradwire/checkpoint';
import {
  type Coordinator,
  type CoordinatorEvent,
  createCoordinator,
  type Splits,
} from '@gradwire/coordinator';
import { GradwireError } from '@gradwire/errors';
import type { Recipe } from '@gradwire/recipes';
import type { CommandContext } from '../commands/command.ts';
import { loadDataset } from '../datasets.ts';
import { exitCodes } from '../exit-codes.ts';
import { createDataLines } from '../output/data-lines.ts';
import { type AgainArguments, createRunOutput, type RunOutput } from '../output/run-output.ts';
import { type AutoCodecSettings, linkMisplaced, withChosenCodec } from '../plan/choose-codec.ts';
import { keptSettings, withKept } from './kept-settings.ts';
import { resolveRun, type RunPlaceSettings } from './resolve-run.ts';
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
  /** Whether somebody chose a setting: a run that goes on keeps its address otherwise. */
  readonly isGiven: (setting: string) => boolean;
  /** What the run cannot go without: before it is there, nobody is listened to and no folder made. */
  readonly ready?: Promise<unknown>;
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
  { isGiven, ready, onEvent }: HostRunOptions,
): Promise<HostedRun> {
  const { console, signal } = context;
  const { codec, link } = chosen;
  if (link !== undefined && codec !== 'auto') throw linkMisplaced(codec);
  const { recipe: given, hash, host, port, token, stored } = await resolveRun(chosen, isGiven);
  const { settings, again } = withKept(chosen, stored?.claim?.settings);
  const { dataDir, cacheDir, runDir, snapshotEvery, exact, allowHost } = settings;
  const tls = await loadCertificate(settings);
  if (exact) checkExact(given);
  if (settings.verify !== undefined && given.strategy?.type === 'asynchronous') throw cannotVerify();
  const data = await loadDataset(given.dataset, {
    dataDir,
    cacheDir,
    signal,
    onEvent: createDataLines(console),
  });
  await ready;
  // A run that goes on has its codec already.
  const isAuto = codec === 'auto' && stored === undefined;
  const recipe = isAuto ? await withChosenCodec({ recipe: given, data }, settings, console) : given;
  const output = createRunOutput(console, settings.json === true);
  console.say(`${recipe.name}: ${recipe.description}`);
  if (again.length > 0) console.say(`as before: ${again.join(' ')}`);
  const coordinator = await createCoordinator({
    recipe,
    recipeHash: hash,
    data,
    createDirectory: async () => stored?.directory ?? createRunDirectory(runDir, recipe.name),
    resume: stored !== undefined,
    snapshotEvery,
    exact,
    host,
    port,
    ...(token === undefined ? {} : { token }),
    ...(tls === undefined ? {} : { tls }),
    ...(allowHost === undefined ? {} : { hosts: allowHost }),
    verify: settings.verify,
    settings: keptSettings(settings),
    onEvent: (event) => {
      output.handle(event);
      onEvent?.(event);
    },
  });
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
      if (result.outcome === 'failed') context.exit(exitCodes.training.code);
      else if (result.problems.length > 0) context.exit(exitCodes.write.code);
    },
  };
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
