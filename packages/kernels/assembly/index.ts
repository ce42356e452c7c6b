export { applyBatchNorm, batchNorm, batchNormGradients } from './batch-norm';
export { convolve, convolvePool } from './convolve';
export { convolveGradients } from './convolution-gradients';
export { sigmoidCrossEntropy, softmaxCrossEntropy } from './cross-entropy';
export { addBias, addTo, reluGradient, sumRows } from './elementwise';
export { matMul, sumOfProducts } from './mat-mul';
export { denseInputGradient } from './dense-gradients';
export { depthwiseFilterGradient, depthwiseInputGradient } from './depthwise-gradients';
export { averagePoolGradient, maxPoolGradient } from './pool-gradients';
