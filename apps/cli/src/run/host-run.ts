import { createCoordinator, type Coordinator } from '@gradwire/coordinator';
import { createRunDirectory } from '@gradwire/checkpoint';
import { type Recipe, withOverrides } from '@gradwire/recipes';
import { type LoadedRecipe, loadRecipe } from '@gradwire/recipes/node';
import type { CommandContext } from '../commands/command.ts';
import { loadDataset } from '../datasets.ts';
import { exitCodes } from '../exit-codes.ts';
import { createDataLines } from '../output/data-lines.ts';
import { relativePath } from '../output/relative-path.ts';
import { createRunOutput, type RunOutput } from '../output/run-output.ts';

/** Settings that `train` and `coordinator` share, as commander parses them. */
export interface RunSettings {
  readonly recipe: string;
  readonly epochs?: number;
  readonly steps?: number;
  readonly batchSize?: number;
  readonly shards?: number;
  readonly seed?: number;
  readonly dataDir?: string;
  readonly cacheDir?: string;
  readonly runDir: string;
  readonly host: string;
  readonly port: number;
  readonly token?: string;
  readonly json?: boolean;
}

/** The recipe that the settings name, with their overrides. */
export async function resolveRecipe(settings: RunSettings): Promise<LoadedRecipe> {
  const loaded = await loadRecipe(settings.recipe);
  const { epochs, steps, batchSize, shards, seed } = settings;
  const given = Object.entries({ epochs, steps, batchSize, shards, seed }).filter(
    ([, value]) => value !== undefined,
  );
  return { ...loaded, recipe: withOverrides(loaded.recipe, Object.fromEntries(given)) };
}

/** The values that a recipe gives to settings which nobody set. */
export function settingsOfRecipe({
  epochs,
  steps,
  batchSize,
  shards,
  seed,
}: Recipe): Record<string, unknown> {
  return { epochs, steps, batchSize, shards, seed };
}

/** A coordinator that is listening, and how it is shown. */
export interface HostedRun {
  readonly coordinator: Coordinator;
  readonly output: RunOutput;
  /** Shows the end and sets the exit code. */
  finish(): Promise<void>;
}

/** Loads recipe and data, makes the run directory and starts to listen. */
export async function hostRun(settings: RunSettings, context: CommandContext): Promise<HostedRun> {
  const { console, signal } = context;
  const loaded = await resolveRecipe(settings);
  const data = await loadDataset(loaded.recipe.dataset, {
    dataDir: settings.dataDir,
    cacheDir: settings.cacheDir,
    signal,
    onEvent: createDataLines(console),
  });
  const directory = await createRunDirectory(settings.runDir, loaded.recipe.name);
  const output = createRunOutput({ console, json: settings.json === true, recipe: loaded.recipe });
  const { recipe } = loaded;
  console.say(`${recipe.name}: ${recipe.description}`);
  console.say(console.colors.dim(`run directory ${relativePath(directory.path)}`));
  const coordinator = await createCoordinator({
    recipe,
    recipeHash: loaded.hash,
    data,
    directory,
    host: settings.host,
    port: settings.port,
    ...(settings.token === undefined ? {} : { token: settings.token }),
    onEvent: output.handle,
  });
  const stop = (): void => coordinator.stop();
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  return {
    coordinator,
    output,
    async finish() {
      const result = await coordinator.done;
      await coordinator.close();
      output.end(result);
      if (result.outcome === 'failed') context.exit(exitCodes.training.code);
    },
  };
}
