import { readStoredRun, type StoredRun } from '@gradwire/coordinator';
import { GradwireError } from '@gradwire/errors';
import { type Recipe, recipeHash } from '@gradwire/recipes';
import { relativePath } from '../output/relative-path.ts';
import { compareRecipes } from '../settings/compare-recipes.ts';
import type { IsGiven } from '../settings/is-given.ts';
import { overrideRecipe, type RecipeSettings, resolveRecipe } from '../settings/resolve-recipe.ts';
import { runToken, type TokenSettings } from '../settings/token-of.ts';

/** The settings that say which run is meant, and where it listens. */
export interface RunPlaceSettings extends RecipeSettings, TokenSettings {
  readonly resume?: string;
  readonly host: string;
  readonly port: number;
}

/** A run that is about to start, or to go on. */
export interface ResolvedRun {
  /** With all overrides. */
  readonly recipe: Recipe;
  /** Hash of the recipe before them. */
  readonly hash: string;
  readonly host: string;
  readonly port: number;
  readonly token: string | undefined;
  /** The run that goes on. */
  readonly stored?: StoredRun;
}

/**
 * What is to be run: a recipe, or with `--resume` the run of before, at the address and with the token of before unless
 * others are given, so that its workers find it again.
 *
 * Throws RECIPE_MISMATCH if flags ask for another recipe than that of the run.
 */
export async function resolveRun(settings: RunPlaceSettings, isGiven: IsGiven): Promise<ResolvedRun> {
  const { host, port } = settings;
  if (settings.resume === undefined)
    return { ...(await resolveRecipe(settings)), host, port, token: await runToken(settings, host) };
  const stored = await readStoredRun(settings.resume);
  const { recipe, claim } = stored;
  checkSame(stored, await wantedRecipe(recipe, settings, isGiven));
  const runHost = isGiven('host') ? host : (claim?.host ?? host);
  return {
    recipe,
    hash: claim?.recipeHash ?? (await recipeHash(recipe)),
    host: runHost,
    port: isGiven('port') ? port : (claim?.port ?? port),
    token: (await runToken(settings, runHost)) ?? claim?.token,
    stored,
  };
}

/** The recipe of a run with what flags ask for. */
async function wantedRecipe(recipe: Recipe, settings: RecipeSettings, isGiven: IsGiven): Promise<Recipe> {
  const flags: Partial<RecipeSettings> = Object.fromEntries(
    Object.entries(settings).filter(([setting]) => isGiven(setting)),
  );
  const { codec, lossy: _, ...others } = flags;
  const asked = codec === 'auto' ? others : flags;
  const named = flags.recipe;
  const wanted =
    named === undefined
      ? overrideRecipe(recipe, asked)
      : (await resolveRecipe({ ...asked, recipe: named })).recipe;
  return codec === 'auto' ? withCodecOf(recipe, wanted) : wanted;
}

/** What auto chose is part of the run. */
function withCodecOf({ codec }: Recipe, asked: Recipe): Recipe {
  const { codec: _, ...others } = asked;
  return codec === undefined ? others : { ...others, codec };
}

function checkSame({ recipe, directory }: StoredRun, wanted: Recipe): void {
  const differences = compareRecipes(recipe, wanted).map(
    ({ setting, first, second }) => `${setting} is ${show(first)} in the run, ${show(second)} was asked for`,
  );
  if (differences.length === 0) return;
  throw new GradwireError(
    'RECIPE_MISMATCH',
    `${relativePath(directory.path)} was started with another recipe: ${differences.join('; ')}`,
    {
      hint: 'Leave these settings out to go on with the run as it is, or start another run without --resume.',
    },
  );
}

function show(value: unknown): string {
  return value === undefined ? 'not there' : JSON.stringify(value);
}
