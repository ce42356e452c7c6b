import { getBackend, getKernel } from '#tfjs-core';

/** Has the current backend a kernel of that name? Those of our own are not registered with every one. */
export function isOffered(kernelName: string): boolean {
  return getKernel(kernelName, getBackend()) !== undefined;
}
