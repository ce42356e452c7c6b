// What `gradwire worker` loads while its compute threads start.
export { defaultCacheDirectory } from '@gradwire/data/node';
export { runWorker } from '@gradwire/worker';
export { findLocalDataset } from '../datasets.ts';
