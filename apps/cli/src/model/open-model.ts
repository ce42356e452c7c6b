import { join } from 'node:path';
import { type PreparedBackend, prepareBackend } from '@gradwire/backend';
import { modelFiles, readModel, type StoredModel } from '@gradwire/checkpoint';
import { GradwireError } from '@gradwire/errors';
import { answerNames } from '@gradwire/preprocess';
import { type Recipe, validateRecipe } from '@gradwire/recipes';
import { type Batcher, createBatcher, createTrainer, type Trainer } from '@gradwire/training';

/** A trained model, ready to answer on a prepared backend. */
export interface OpenModel {
  readonly stored: StoredModel;
  readonly recipe: Recipe;
  readonly backend: PreparedBackend;
  /** Has the model's weights; whoever opened the model disposes it. */
  readonly trainer: Trainer;
  /** Preprocesses with the statistics of the training set. */
  readonly batcher: Batcher;
  /** Names of the possible answers: the classes, or two for a binary task. */
  readonly answers: readonly string[];
}

/** Reads the model of a run and prepares a backend for it. Throws as `readModel` and `prepareBackend` do. */
export async function openModel(path: string, backendName: 'auto' | 'native' | 'wasm'): Promise<OpenModel> {
  const stored = await readModel(path);
  const manifest = join(stored.directory, modelFiles.manifest);
  const recipe = validateRecipe(stored.recipe, manifest);
  const backend = await prepareBackend(backendName);
  const trainer = createTrainer({ recipe });
  if (trainer.layout.size !== stored.weights.length) {
    throw new GradwireError(
      'FILE_CORRUPT',
      `${manifest}: its recipe has ${trainer.layout.size} parameters, but there are ${stored.weights.length} weights`,
      { hint: 'The model is damaged: copy it again, or repeat the run.' },
    );
  }
  trainer.setWeights(stored.weights);
  const { classNames, statistics } = stored;
  const batcher = createBatcher(recipe, statistics);
  return { stored, recipe, backend, trainer, batcher, answers: answerNames(classNames, recipe.task) };
}
