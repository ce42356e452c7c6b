import { type Recipe, withOverrides } from '@gradwire/recipes';
import { type LoadedRecipe, loadRecipe } from '@gradwire/recipes/node';
import { codecOf, type CodecSettings, settingsOfCodec } from './codec-of.ts';
import { settingsOfStrategy, strategyOf, type StrategySettings } from './strategy-of.ts';

/** The settings that name a recipe and change it. */
export interface RecipeSettings extends StrategySettings, CodecSettings {
  readonly recipe: string;
  readonly epochs?: number;
  readonly steps?: number;
  readonly batchSize?: number;
  readonly shards?: number;
  readonly seed?: number;
}

/** The recipe that the settings name, with their overrides; its hash is that of the recipe before them. */
export async function resolveRecipe(settings: RecipeSettings): Promise<LoadedRecipe> {
  const loaded = await loadRecipe(settings.recipe);
  return { ...loaded, recipe: overrideRecipe(loaded.recipe, settings) };
}

/** A recipe with what the settings change of it. */
export function overrideRecipe(recipe: Recipe, settings: Omit<RecipeSettings, 'recipe'>): Recipe {
  const { epochs, steps, batchSize, shards, seed } = settings;
  const strategy = strategyOf(settings, recipe.strategy);
  const codec = codecOf(settings, recipe.codec);
  return withOverrides(recipe, { epochs, steps, batchSize, shards, seed, strategy, codec });
}

/** The values that a recipe gives to settings which nobody set. */
export function settingsOfRecipe({
  epochs,
  steps,
  batchSize,
  shards,
  seed,
  strategy,
  codec,
}: Recipe): Record<string, unknown> {
  return {
    epochs,
    steps,
    batchSize,
    shards,
    seed,
    ...settingsOfStrategy(strategy),
    ...settingsOfCodec(codec),
  };
}
