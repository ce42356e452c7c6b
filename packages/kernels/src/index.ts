export { loadKernels } from './load-kernels.ts';
export {
  addBias,
  batchNorm,
  batchNormGradients,
  convolvePool,
  convolvePoolGradients,
  kernelsReady,
  reluGradient,
  valuesInPlace,
} from './operations.ts';
export type { BatchNormOptions, ConvolvePoolOptions } from './operations.ts';
