// `import '@gradwire/kernels/register'`: any tfjs program on the wasm backend gets the training kernels.
import { loadKernels } from './load-kernels.ts';

await loadKernels();
