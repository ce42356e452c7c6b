/** What is trained when nobody says what: a good result within seconds, before anything that takes minutes. */
export const defaultRecipe = 'mnist-fast';
