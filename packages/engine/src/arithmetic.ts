// `@gradwire/engine/arithmetic`: what computes a gradient, without the machine that shares the work. It loads in a fifth of
// the time, which every compute thread spends at its start.
export { averageGradient } from './gradients/average.ts';
export { statisticParameters } from './layout.ts';
export { createOptimizer } from './optimizers/create-optimizer.ts';
export { learningRateAt } from './schedules/learning-rate.ts';
export { isGroupNode, treeCover, treeMid, treeParent } from './tree/tree.ts';
export { plainVectors } from './vectors/plain-vectors.ts';
