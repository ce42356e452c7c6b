import { registerKernel, unregisterKernel } from '@tensorflow/tfjs-core';
import type { KernelFunc } from '@tensorflow/tfjs-core';
import { createConv2dFilterGradient } from './conv2d-filter-gradient.ts';
import { createConv2dInputGradient } from './conv2d-input-gradient.ts';
import { ownKernel } from './heap.ts';
import type { WasmKernel } from './heap.ts';
import { createMatMul } from './mat-mul.ts';
import { matrixKernels } from './matrix.ts';
import { maxPoolGradient } from './max-pool-gradient.ts';
import { createCast, createIdentity } from './share-data.ts';
import { createSum } from './sum.ts';

/**
 * Names the bits that the kernels of this folder give. Raise it whenever a change alters a result, however
 * slightly: workers with different versions must not share a run. A test compares it with the bits of a gradient.
 */
export const kernelVersion = '1';

let isRegistered = false;

/**
 * Registers the training kernels with tfjs's wasm backend: the missing one, the wrong one and the slow ones.
 * The backend must be initialised; a second call does nothing. Works in Node and in browsers.
 */
export function registerTrainingKernels(): void {
  if (isRegistered) return;
  isRegistered = true;
  const matrix = matrixKernels();
  const convolve = ownKernel('Conv2D').run;
  register('Conv2DBackpropFilter', createConv2dFilterGradient(matrix));
  replace('Conv2DBackpropInput', (own) => createConv2dInputGradient(own, convolve));
  replace('BatchMatMul', (own) => createMatMul(own, matrix));
  replace('MaxPoolGrad', () => maxPoolGradient);
  replace('Sum', createSum);
  replace('Identity', createIdentity);
  replace('Cast', createCast);
}

function register(kernelName: string, kernel: WasmKernel): void {
  registerKernel({ kernelName, backendName: 'wasm', kernelFunc: kernel as unknown as KernelFunc });
}

/** Keeps the old kernel's set-up function: the new kernel may call the old one. */
function replace(kernelName: string, create: (own: WasmKernel) => WasmKernel): void {
  const own = ownKernel(kernelName);
  unregisterKernel(kernelName, 'wasm');
  registerKernel({ ...own.config, kernelFunc: create(own.run) as unknown as KernelFunc });
}
