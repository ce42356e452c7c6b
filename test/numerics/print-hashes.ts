// Prints the hashes of the Node that runs it, as JSON.
import { prepareBackend } from '@gradwire/backend';
import { loadVectors } from '@gradwire/kernels/vectors';
import { numericHashes } from './numeric-hashes.ts';

await prepareBackend('wasm');
console.log(JSON.stringify(await numericHashes(await loadVectors())));
