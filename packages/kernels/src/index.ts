export { loadKernels } from './load-kernels.ts';
export {
  addBias,
  batchNorm,
  batchNormGradients,
  convolvePool,
  convolvePoolGradients,
  kernelsReady,
  reluGradient,
  sigmoidCrossEntropy,
  softmaxCrossEntropy,
  sumOfProducts,
  sumRows,
  valuesInPlace,
} from './operations.ts';
export type {
  BatchNormOptions,
  ConvolvePoolOptions,
  CrossEntropy,
  LogitsAndTargets,
  Parts,
} from './operations.ts';
