export { openBench } from './bench.ts';
export { leavesOfPass } from './compute/lease-pieces.ts';
export { createMember } from './member.ts';
export { runWorker } from './worker.ts';
export type { Bench, BenchOptions } from './bench.ts';
export type { WorkerEvent } from './events.ts';
export type { Member, MemberOptions } from './member.ts';
export type { WorkerOptions, WorkerOutcome } from './worker.ts';
