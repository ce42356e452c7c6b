import { mnistCnn, mnistCnnSmall, withOutputs } from '@gradwire/models';
import type { Recipe } from '../recipe.ts';
import { mnistDefaults } from './mnist-defaults.ts';

/** The same digits, other questions (sections 4.1 and 4.3 of the article). */
export const mnistTaskRecipes: readonly Recipe[] = [
  {
    ...mnistDefaults,
    name: 'mnist-multilabel',
    description: 'One yes-or-no answer for each digit (sigmoid and binary cross-entropy per class).',
    model: mnistCnn,
    task: { type: 'multilabel', classes: 10 },
  },
  {
    ...mnistDefaults,
    name: 'mnist-is-seven',
    description: 'Is it a 7? Binary classification with one output.',
    model: withOutputs(mnistCnnSmall, 1),
    task: { type: 'binary', positive: [7] },
    epochs: 3,
  },
];
