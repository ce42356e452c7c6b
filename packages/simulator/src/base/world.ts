import type { PartialSum } from '@gradwire/engine';
import type { Agenda } from './agenda.ts';
import type { Standstill } from '../coordinator/standstill.ts';
import type { SimulatedDisk } from '../disk/simulated-disk.ts';
import type { Concern, Draws } from './draws.ts';
import type { Trace } from './trace.ts';
import type { FaultTally } from '../faults/fault-kinds.ts';
import type { Scenario } from '../scenario/scenario.ts';

/** What all parts of one simulation share. */
export interface World {
  readonly scenario: Scenario;
  readonly agenda: Agenda;
  readonly draws: Readonly<Record<Concern, Draws>>;
  readonly trace: Trace;
  readonly tally: FaultTally;
  /** The coordinator's. */
  readonly disk: SimulatedDisk;
  /** Of the coordinator's process. */
  readonly standstill: Standstill;
  /** Messages sent, counted over all connections, to see who overtakes whom. */
  readonly delivered: { sent: number; latest: number };
  /** Places of leases that a worker could not compute: at most one failure on each leaf, since a second one ends the run. */
  readonly failed: Set<number>;
  /** Every sum on its way that is not right. */
  readonly lies: WeakSet<PartialSum>;
  /** Who wants to hear of everything. */
  readonly tell: ((kind: TraceLine['kind'], what: object) => void) | undefined;
}

/** Something that happened, for people; vectors are left out. */
export interface TraceLine {
  readonly atMs: number;
  readonly kind: 'event' | 'effect' | 'fault';
  readonly what: object;
}
