import type { WorkerId } from '@gradwire/engine';
import type { World } from '../base/world.ts';
import type { LieKind } from '../faults/fault-kinds.ts';
import type { Connection, Link, ToCoordinator } from './connection.ts';

/** A sum that a worker has sent, under the name that it had. */
export interface Remembered {
  readonly id: WorkerId;
  readonly message: Extract<ToCoordinator, { type: 'partial' }>;
}

/** What a worker will do wrong at the next chance, once. */
export type Mischief = 'duplicate' | 'failure' | 'nonsense';

/** One machine that computes. */
export interface SimulatedWorker {
  readonly name: string;
  readonly link: Link;
  connection: Connection | undefined;
  /** Also those that only one end takes for open still. */
  connections: Connection[];
  isAlive: boolean;
  /** Whether it keeps to the protocol and computes right; only who does not may be put out. */
  isHonest: boolean;
  pausedUntilMs: number;
  /** Since when it is connected and no fault has struck it; `Infinity` once one has. */
  soundSinceMs: number;
  /** How many times longer than usual it computes. */
  slowness: number;
  readonly mischief: Set<Mischief>;
  /** How it lies from now on. */
  lie: LieKind | undefined;
  hasLied: boolean;
  /** What it sent lately. */
  readonly remembered: Remembered[];
  /** Whether it sends that again under its next connection. */
  repeats: boolean;
}

export function createWorker(world: World, name: string): SimulatedWorker {
  return {
    name,
    link: { latencyMs: world.scenario.latencyMs, blockedUntilMs: 0 },
    connection: undefined,
    connections: [],
    isAlive: true,
    isHonest: true,
    pausedUntilMs: 0,
    soundSinceMs: 0,
    slowness: world.draws.work.between(0.7, 2),
    mischief: new Set(),
    lie: undefined,
    hasLied: false,
    remembered: [],
    repeats: false,
  };
}

/** Does `act` now, or as soon as the worker does not stand still any more. */
export function whenAwake(world: World, worker: SimulatedWorker, act: () => void): void {
  if (worker.pausedUntilMs <= world.agenda.nowMs) act();
  else world.agenda.at(worker.pausedUntilMs, () => whenAwake(world, worker, act));
}
