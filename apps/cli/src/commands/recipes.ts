import { Command } from 'commander';
import { GradwireError } from '@gradwire/errors';
import { parameterLayout, resolveLayers } from '@gradwire/models';
import { type Recipe, recipeHash, recipes } from '@gradwire/recipes';
import { type LoadedRecipe, loadRecipe } from '@gradwire/recipes/node';
import { describeRecipe, parameterCount } from '../model/describe-recipe.ts';
import { explainRecipe, explanationText } from '../model/explain-recipe.ts';
import { commonOptions } from '../settings/options.ts';
import { prepareSettings } from '../settings/prepare-settings.ts';
import type { CommandContext } from './command.ts';

interface RecipesSettings {
  readonly json?: boolean;
  readonly explain?: boolean;
}

/** `gradwire recipes`. */
export function recipesCommand(context: CommandContext): Command {
  const command = new Command('recipes')
    .description('List the built-in recipes, or show one in full.')
    .argument('[name|file]', 'a recipe by name, or a .js or .json file of your own')
    .option('--explain', 'show how its network is computed: which layers share a block, and what each costs')
    .addHelpText('after', examples);
  for (const option of Object.values(commonOptions)) command.addOption(option());
  return command.action(async (name: string | undefined) => {
    const settings = await prepareSettings<RecipesSettings>(command, context);
    if (settings === undefined) return;
    const { json = false, explain: wantsExplanation = false } = settings;
    if (name === undefined) {
      if (wantsExplanation) throw missingName();
      await list(context, json);
    } else if (wantsExplanation) explain(await loadRecipe(name), context, json);
    else show(await loadRecipe(name), context, json);
  });
}

async function list({ console }: CommandContext, json: boolean): Promise<void> {
  if (json) {
    const rows = recipes.map(async (recipe) => ({
      name: recipe.name,
      description: recipe.description,
      dataset: recipe.dataset,
      parameters: parameterLayout(recipe.model).size,
      hash: await recipeHash(recipe),
    }));
    return console.json({ recipes: await Promise.all(rows) });
  }
  const width = Math.max(...recipes.map(({ name }) => name.length));
  for (const { name, description } of recipes) console.print(`${name.padEnd(width)}  ${description}`);
  console.say('\nOne in full: gradwire recipes NAME. To train it: gradwire train --recipe NAME.');
}

function show({ recipe, hash }: LoadedRecipe, { console }: CommandContext, json: boolean): void {
  if (!json) return console.print(describeRecipe(recipe, hash));
  console.json({ recipe, hash, parameters: parameterLayout(recipe.model).size, layers: layersOf(recipe) });
}

function explain({ recipe, hash }: LoadedRecipe, { console }: CommandContext, json: boolean): void {
  const explanation = explainRecipe(recipe);
  if (json) console.json({ recipe: recipe.name, hash, ...explanation });
  else console.print(explanationText(recipe, explanation));
}

function missingName(): GradwireError {
  return new GradwireError('OPTION_INVALID', '--explain: expected the name or file of a recipe, found none', {
    hint: 'For example: gradwire recipes --explain mnist-cnn',
  });
}

function layersOf({ model }: Recipe): object[] {
  return resolveLayers(model).map(({ name, layer, outputShape, parameters }) => ({
    name,
    ...layer,
    outputShape,
    parameters: parameterCount(parameters),
  }));
}

const examples = `
Examples:
  gradwire recipes
  gradwire recipes mnist-cnn
  gradwire recipes --explain mnist-cnn
  gradwire recipes ./mine.js --json`;
