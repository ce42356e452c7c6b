export { runWorker } from './worker.ts';
export type { WorkerEvent } from './events.ts';
export type { WorkerOptions, WorkerOutcome } from './worker.ts';
