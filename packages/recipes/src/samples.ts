// `@gradwire/recipes/samples`: what a recipe says of a step, for compute threads, which get it checked. They need no
// schemas and no registry.
export { countSteps } from './count-steps.ts';
export { localStrategy } from './strategy.ts';
export { trainingSamples } from './training-samples.ts';
