import type { Command } from 'commander';
import { isGivenTo } from '../settings/is-given.ts';
import { settingsOfRecipe } from '../settings/resolve-recipe.ts';
import type { RunSettings } from './host-run.ts';
import { withKept } from './kept-settings.ts';
import { type ResolvedRun, resolveRun } from './resolve-run.ts';

/**
 * What the recipe of a run gives to settings which nobody set, for `--print-config`. A run that goes on gives its settings
 * to `command` instead, with the source `run`: all that are not asked for by a flag.
 */
export async function settingsOfRun(
  settings: RunSettings,
  command: Command,
): Promise<Record<string, unknown>> {
  const isGiven = isGivenTo(command);
  const resolved = await resolveRun(settings, isGiven);
  if (resolved.stored === undefined) return settingsOfRecipe(resolved.recipe);
  for (const [setting, value] of Object.entries(storedSettings(settings, resolved))) {
    if (!isGiven(setting)) command.setOptionValueWithSource(setting, value, 'run');
  }
  return {};
}

function storedSettings(
  settings: RunSettings,
  { recipe, stored, host, port, token }: ResolvedRun,
): Record<string, unknown> {
  const all = withKept(settings, stored?.claim?.settings).settings;
  const kept = Object.entries(all).filter(([setting]) => !Object.hasOwn(settings, setting));
  const hasToken = (settings.token ?? settings.tokenFile) !== undefined;
  return {
    recipe: recipe.name,
    ...settingsOfRecipe(recipe),
    host,
    port,
    ...Object.fromEntries(kept),
    ...(hasToken || token === undefined ? {} : { token }),
  };
}
