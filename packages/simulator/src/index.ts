export { faultKinds } from './faults/fault-kinds.ts';
export { simulate } from './simulate.ts';
export { promises } from './watch/broken-promise.ts';
export type { EngineMaker } from './coordinator/coordinator.ts';
export type { FaultKind, FaultTally } from './faults/fault-kinds.ts';
export type { Scenario } from './scenario/scenario.ts';
export type { LeafPlace, Work } from './scenario/work.ts';
export type { SimulationOptions, SimulationResult } from './simulate.ts';
export type { PromiseName } from './watch/broken-promise.ts';
