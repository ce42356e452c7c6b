import { logisticRegression, mlp } from '@gradwire/models';
import type { Recipe } from '../recipe.ts';
import { mnistDefaults } from './mnist-defaults.ts';

/** Networks without convolutions: quick runs and baselines. */
export const mnistDenseRecipes: readonly Recipe[] = [
  {
    ...mnistDefaults,
    name: 'mnist-logistic',
    description: 'Handwritten digits with one linear layer: the quickest run, about 92 %.',
    model: logisticRegression,
  },
  {
    ...mnistDefaults,
    name: 'mnist-mlp',
    description: 'Handwritten digits with a fully connected network: about 98 %.',
    model: mlp,
  },
];
