import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** Loads tfjs-node as it comes, with the number of threads that the environment says; native kernels become current. */
export function loadStock() {
  // tfjs-node 4.22 calls a function that Node 23 removed.
  require('node:util').isNullOrUndefined = (value) => value === null || value === undefined;
  return createRequire(require.resolve('@gradwire/backend'))('@tensorflow/tfjs-node');
}
