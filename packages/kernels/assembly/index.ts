export { convolve, convolvePool } from './convolve';
export { convolveGradients } from './convolution-gradients';
export { addBias, reluGradient, sumRows } from './elementwise';
export { matMul } from './mat-mul';
