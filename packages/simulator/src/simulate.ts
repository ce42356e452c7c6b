import { createEngine, type PartialSum } from '@gradwire/engine';
import { toError } from '@gradwire/errors';
import { createAgenda } from './base/agenda.ts';
import { type Concern, createDraws, type Draws } from './base/draws.ts';
import { createTrace } from './base/trace.ts';
import type { TraceLine, World } from './base/world.ts';
import { createStandstill } from './coordinator/standstill.ts';
import { createCoordinator, type CoordinatorParts, type EngineMaker } from './coordinator/coordinator.ts';
import { createTally, type FaultTally } from './faults/fault-kinds.ts';
import { type Persistence, persistence as usualPersistence } from './disk/persistence.ts';
import { createDisk } from './disk/simulated-disk.ts';
import { planFaults } from './faults/strike.ts';
import { finishBoundMs, mostEvents } from './scenario/bounds.ts';
import { drawScenario, type Scenario } from './scenario/scenario.ts';
import { BrokenPromise, must, type PromiseName } from './watch/broken-promise.ts';
import { createProgress } from './watch/progress.ts';
import { createReference } from './watch/reference.ts';
import { createWatch } from './watch/watch.ts';
import { createCrew } from './workers/crew.ts';

const eventsPerPart = 1_000;

/** What may be other than usual. */
export interface SimulationOptions {
  /** Changes what the seed has drawn. */
  readonly adapt?: (scenario: Scenario) => Scenario;
  /** Default: the real engine. */
  readonly makeEngine?: EngineMaker;
  /** Default: as the real coordinator does. */
  readonly persistence?: Persistence;
  /** Hears of everything that happens. */
  readonly onLine?: (line: TraceLine) => void;
}

/** What one seed led to. */
export interface SimulationResult {
  readonly seed: number;
  /** Of everything that happened, in order: equal for equal seeds. */
  readonly hash: string;
  /** Events that the engine was told, and effects that it asked for. */
  readonly length: number;
  /** On the virtual clock. */
  readonly virtualMs: number;
  readonly faults: FaultTally;
  /** Of the coordinator. */
  readonly diskOperations: number;
  /** The first promise that did not hold, if any. */
  readonly broken?: { readonly promise: PromiseName; readonly message: string };
}

/**
 * Simulates one run from its seed, an integer from 0 to 2^32 - 1: first with faults, then, when they have stopped, to its end.
 *
 * @example
 * const { hash, broken } = simulate(42);
 * if (broken) console.error(`${broken.promise}: ${broken.message}`);
 */
export function simulate(seed: number, options: SimulationOptions = {}): SimulationResult {
  const parts = simulateInParts(seed, options);
  for (;;) {
    const part = parts.next();
    if (part.done) return part.value;
  }
}

/** As {@link simulate}, a thousand events at a time: in between the caller may do something else, or give it up. */
export function* simulateInParts(
  seed: number,
  options: SimulationOptions = {},
): Generator<void, SimulationResult> {
  const { makeEngine = createEngine, persistence = usualPersistence } = options;
  const world = createWorld(seed, options);
  let broken: SimulationResult['broken'];
  try {
    yield* run(world, { makeEngine, persistence });
  } catch (thrown) {
    broken = describeThrown(thrown);
  }
  const { trace, agenda, tally, disk } = world;
  const result = {
    seed,
    hash: trace.hash(),
    length: trace.length,
    virtualMs: agenda.nowMs,
    faults: tally,
    diskOperations: disk.operations,
  };
  return broken ? { ...result, broken } : result;
}

function createWorld(seed: number, { adapt = (scenario) => scenario, onLine }: SimulationOptions): World {
  const draws: Record<Concern, Draws> = {
    workload: createDraws(seed, 'workload'),
    network: createDraws(seed, 'network'),
    disk: createDraws(seed, 'disk'),
    faults: createDraws(seed, 'faults'),
    work: createDraws(seed, 'work'),
    verification: createDraws(seed, 'verification'),
  };
  const scenario = adapt(drawScenario(draws.workload, seed));
  const agenda = createAgenda();
  const tell =
    onLine &&
    ((kind: TraceLine['kind'], what: object): void =>
      onLine({ atMs: agenda.nowMs, kind, what: withoutVectors(what) }));
  const disk = createDisk(draws.disk, scenario.cutAt);
  const standstill = createStandstill(agenda);
  const shared = { trace: createTrace(), tally: createTally(), lies: new WeakSet<PartialSum>() };
  const delivered = { sent: 0, latest: 0 };
  return { scenario, agenda, draws, disk, standstill, tell, delivered, failed: new Set(), ...shared };
}

function withoutVectors(what: object): object {
  return JSON.parse(
    JSON.stringify(what, (_, value: unknown) => (ArrayBuffer.isView(value) ? undefined : value)),
  ) as object;
}

function* run(
  world: World,
  parts: Pick<CoordinatorParts, 'makeEngine' | 'persistence'>,
): Generator<void, void> {
  const { scenario, agenda } = world;
  const watch = createWatch(world, createReference(scenario.plan, scenario.work));
  const coordinator = createCoordinator(world, { ...parts, watch });
  const crew = createCrew(world, coordinator);
  coordinator.start();
  for (let i = 0; i < scenario.workers; i++) crew.add();
  planFaults({ world, crew, coordinator, watch });

  const boundMs = scenario.calmAtMs + finishBoundMs(scenario);
  const most = mostEvents(scenario);
  const progress = createProgress(world, watch, crew);
  let events = 0;
  while (coordinator.outcome() === undefined && agenda.nowMs <= boundMs && agenda.advance()) {
    must('finish', world.trace.length < most, () => `more than ${most} events and effects`);
    progress.check();
    if (++events % eventsPerPart === 0) yield;
  }
  must('finish', coordinator.outcome() !== undefined, () => {
    return `not finished ${finishBoundMs(scenario)} ms after the last fault: ${JSON.stringify(coordinator.engine()?.status())}`;
  });
}

function describeThrown(thrown: unknown): NonNullable<SimulationResult['broken']> {
  if (thrown instanceof BrokenPromise) return { promise: thrown.promise, message: thrown.message };
  const { stack, message } = toError(thrown);
  return { promise: 'no exception', message: stack ?? message };
}
