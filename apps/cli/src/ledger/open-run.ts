import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findRun, type ParsedLedger, parseLedger, type RunDirectory } from '@gradwire/checkpoint';
import { GradwireError, showValue, toError } from '@gradwire/errors';
import { type Recipe, recipeHash, validateRecipe } from '@gradwire/recipes';
import type { Summary } from '@gradwire/report';

/** A run directory as the commands that check runs read it. */
export interface OpenRun {
  readonly directory: RunDirectory;
  /** With all overrides. */
  readonly recipe: Recipe;
  readonly recipeHash: string;
  readonly ledgerText: string;
  readonly ledger: ParsedLedger;
  /** Absent while the run has not ended. */
  readonly summary: Summary | undefined;
}

/** Reads recipe, ledger and summary. Throws DATA_NOT_FOUND, RECIPE_INVALID, or FILE_CORRUPT for a file that is no JSON. */
export async function openRun(path: string): Promise<OpenRun> {
  const directory = await findRun(path);
  const file = (name: string): string => join(directory.path, name);
  const recipe = validateRecipe(await readJson(file('recipe.json')), file('recipe.json'));
  const hash = await recipeHash(recipe);
  const ledgerText = await readText(file('ledger.jsonl'));
  if (ledgerText === undefined) {
    throw new GradwireError('DATA_NOT_FOUND', `${file('ledger.jsonl')}: no such file`, {
      hint: 'Without its ledger nothing can be said of a run.',
    });
  }
  const summary = await readSummary(file('summary.json'));
  return {
    directory,
    recipe,
    recipeHash: hash,
    ledgerText,
    ledger: parseLedger(ledgerText, hash),
    summary,
  };
}

async function readSummary(path: string): Promise<Summary | undefined> {
  const summary = await readJson(path);
  if (summary === undefined || (typeof summary === 'object' && summary !== null)) {
    return summary as Summary | undefined;
  }
  throw new GradwireError('FILE_CORRUPT', `${path}: expected a summary, found ${showValue(summary)}`);
}

/** A text file; undefined if there is none. */
export async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new GradwireError('FILE_CORRUPT', `${path}: ${toError(cause).message}`, { cause });
  }
}

async function readJson(path: string): Promise<unknown> {
  const text = await readText(path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new GradwireError('FILE_CORRUPT', `${path}: expected JSON, found another text`, { cause });
  }
}
