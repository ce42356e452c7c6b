import { mnistCnn, mnistCnnSmall } from '@gradwire/models';
import type { Recipe } from '../recipe.ts';
import { mnistDefaults } from './mnist-defaults.ts';

/** The two convolutional networks of the article. */
export const mnistCnnRecipes: readonly Recipe[] = [
  {
    ...mnistDefaults,
    name: 'mnist-cnn',
    description: 'Handwritten digits with the 32-64 convolutional network: about 99 % after 10 epochs.',
    model: mnistCnn,
  },
  {
    ...mnistDefaults,
    name: 'mnist-cnn-small',
    description: 'Handwritten digits with the 16-16 convolutional network: quicker, a little less accurate.',
    model: mnistCnnSmall,
  },
];
