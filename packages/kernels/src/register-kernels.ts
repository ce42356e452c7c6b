// Registers the backend's own kernels, which ours replace.
import '#tfjs-backend-wasm';
import { getKernel, registerKernel, unregisterKernel } from '#tfjs-core';
import type { KernelFunc, TensorInfo } from '@tensorflow/tfjs-core';
import { batchNorm, batchNormGradients, createFusedBatchNorm } from './batch-norm.ts';
import {
  conv2d,
  conv2dFilterGradient,
  conv2dInputGradient,
  convolvePool,
  convolvePoolGradients,
} from './convolution.ts';
import { sigmoidCrossEntropy, softmaxCrossEntropy } from './cross-entropy.ts';
import { depthwiseFilterGradient, depthwiseInputGradient } from './depthwise-gradients.ts';
import { addBias, createSum, reluGradient, sumRows } from './elementwise.ts';
import type { WasmKernel } from './heap.ts';
import { createMatMul, sumOfProducts } from './mat-mul.ts';
import { averagePoolGradient, maxPoolGradient } from './pool-gradients.ts';
import { unsortedSegmentSum } from './segment-sum.ts';
import { createCast, createIdentity } from './share-data.ts';

let isRegistered = false;

/**
 * Registers the kernels with tfjs's wasm backend: the missing ones, the wrong one and the slow ones under tfjs's names,
 * the fused ones under names of their own. A second call does nothing. The kernels run after `compileKernels`.
 */
export function registerKernels(): void {
  if (isRegistered) return;
  isRegistered = true;
  register('Conv2DBackpropFilter', conv2dFilterGradient);
  register('DepthwiseConv2dNativeBackpropFilter', depthwiseFilterGradient);
  register('DepthwiseConv2dNativeBackpropInput', depthwiseInputGradient);
  register('UnsortedSegmentSum', unsortedSegmentSum);
  replace('Conv2D', () => conv2d);
  replace('Conv2DBackpropInput', () => conv2dInputGradient);
  replace('BatchMatMul', createMatMul);
  replace('MaxPoolGrad', () => maxPoolGradient);
  replace('AvgPoolGrad', () => averagePoolGradient);
  replace('Sum', createSum);
  replace('FusedBatchNorm', createFusedBatchNorm);
  replace('Identity', createIdentity);
  replace('Cast', createCast);
  register('GradwireConvolvePool', convolvePool);
  register('GradwireConvolvePoolGradients', convolvePoolGradients);
  register('GradwireBatchNorm', batchNorm);
  register('GradwireBatchNormGradients', batchNormGradients);
  register('GradwireSoftmaxCrossEntropy', softmaxCrossEntropy);
  register('GradwireSigmoidCrossEntropy', sigmoidCrossEntropy);
  register('GradwireAddBias', addBias);
  register('GradwireReluGradient', reluGradient);
  register('GradwireSumRows', sumRows);
  register('GradwireSumOfProducts', sumOfProducts);
}

function register(kernelName: string, kernel: WasmKernel<TensorInfo | TensorInfo[]>): void {
  registerKernel({ kernelName, backendName: 'wasm', kernelFunc: kernel as unknown as KernelFunc });
}

/** Keeps the old kernel's set-up function: the new kernel may call the old one. */
function replace(kernelName: string, create: (own: WasmKernel) => WasmKernel): void {
  const config = getKernel(kernelName, 'wasm');
  const kernel = create((call) => config.kernelFunc({ ...call }) as TensorInfo);
  unregisterKernel(kernelName, 'wasm');
  registerKernel({ ...config, kernelFunc: kernel as unknown as KernelFunc });
}
