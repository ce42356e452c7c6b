export { createCoordinator } from './coordinator.ts';
export type { Coordinator, CoordinatorOptions } from './coordinator.ts';
export type { CoordinatorEvent, FailureReport, RunResult } from './events.ts';
export { readStoredRun } from './storage/stored-run.ts';
export type { TlsCertificate } from './listen.ts';
export type { Splits } from './plan.ts';
export type { RunStatus } from './run-status.ts';
export type { StoredRun } from './storage/stored-run.ts';
