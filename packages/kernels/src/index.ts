export { loadKernels } from './load-kernels.ts';
export {
  addBias,
  convolvePool,
  convolvePoolGradients,
  kernelsReady,
  reluGradient,
  valuesInPlace,
} from './operations.ts';
export type { ConvolvePoolOptions } from './operations.ts';
