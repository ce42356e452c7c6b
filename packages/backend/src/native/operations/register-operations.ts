import type { KernelConfig, KernelFunc, TensorInfo } from '@tensorflow/tfjs-core';
import { getKernel, registerKernel, unregisterKernel } from '#tfjs-core';
import { createConv2d, createFilterGradient, createInputGradient } from './convolution.ts';
import { createSum, reluGradient } from './elementwise.ts';
import type { NativeKernel } from './execute.ts';
import { createMatMul } from './mat-mul.ts';
import { gradwireMaxPool, gradwireMaxPoolGradient } from './max-pooling.ts';

/** `one-dnn`: TensorFlow's private operations where they are faster. `public`: its public ones only. */
export type OperationSet = 'one-dnn' | 'public';

/**
 * Registers faster kernels with tfjs-node's backend: in the place of tfjs's under their names, those that tfjs does not
 * have under names of our own. May be called again with another set.
 */
export function registerOperations(set: OperationSet): void {
  replace('Sum', createSum);
  register('GradwireReluGradient', reluGradient);
  const isPrivate = set === 'one-dnn';
  replace('BatchMatMul', isPrivate && createMatMul);
  replace('Conv2D', isPrivate && createConv2d);
  replace('Conv2DBackpropFilter', isPrivate && createFilterGradient);
  replace('Conv2DBackpropInput', isPrivate && createInputGradient);
  register('GradwireMaxPool', isPrivate && gradwireMaxPool);
  register('GradwireMaxPoolGradient', isPrivate && gradwireMaxPoolGradient);
}

const backendName = 'tensorflow';
/** tfjs-node's own kernels. */
const originals = new Map<string, KernelConfig>();

/** Registers the kernel made from tfjs's own, or tfjs's own itself. */
function replace(kernelName: string, create: ((own: NativeKernel) => NativeKernel) | false): void {
  const original = originals.get(kernelName) ?? getKernel(kernelName, backendName);
  originals.set(kernelName, original);
  const own: NativeKernel = (call) => original.kernelFunc({ ...call }) as TensorInfo;
  register(kernelName, create ? create(own) : own);
}

function register(kernelName: string, kernel: NativeKernel<TensorInfo | TensorInfo[]> | false): void {
  if (getKernel(kernelName, backendName)) unregisterKernel(kernelName, backendName);
  if (!kernel) return;
  registerKernel({ kernelName, backendName, kernelFunc: kernel as unknown as KernelFunc });
}
