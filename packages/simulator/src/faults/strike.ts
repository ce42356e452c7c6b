import type { World } from '../base/world.ts';
import type { Coordinator } from '../coordinator/coordinator.ts';
import { snapshotNames } from '../disk/persistence.ts';
import type { Watch } from '../watch/watch.ts';
import type { Crew } from '../workers/crew.ts';
import type { SimulatedWorker } from '../workers/simulated-worker.ts';
import { type FaultKind, isLie, type LieKind } from './fault-kinds.ts';

/** What faults act on. */
export interface Target {
  readonly world: World;
  readonly crew: Crew;
  readonly coordinator: Coordinator;
  readonly watch: Watch;
}

/** Faults at random times until it is calm; then everything that is broken is mended. */
export function planFaults(target: Target): void {
  const { agenda, draws, scenario } = target.world;
  const next = (): void => {
    const gapMs = scenario.faultGapMs * 2 * draws.faults.unit();
    agenda.after(gapMs, () => {
      if (agenda.nowMs >= scenario.calmAtMs) return;
      strike(target, draws.faults.pick(scenario.faults));
      next();
    });
  };
  if (scenario.faults.length > 0) next();
  agenda.at(scenario.calmAtMs, () => mend(target));
}

/** One fault, if there is anything that it can strike. */
function strike(target: Target, kind: FaultKind): void {
  const { world, crew } = target;
  const { draws, trace, tally, scenario } = world;
  trace.note(kind);
  if (isCoordinatorFault(kind)) return strikeCoordinator(target, kind);
  if (kind === 'join') {
    if (!crew.add()) return;
    tally.join++;
    return;
  }
  const alive = crew.alive().filter(({ name }) => name !== scenario.spared);
  if (alive.length === 0) return;
  if (isLie(kind)) return corrupt(target, kind);
  const worker = draws.faults.pick(alive);
  world.tell?.('fault', { kind, worker: worker.name });
  strikeWorker(target, worker, kind);
}

type CoordinatorFault = 'crash' | 'power-cut' | 'suspend' | 'disk-full' | 'rot';
type WorkerFault = Exclude<FaultKind, CoordinatorFault | LieKind | 'join'>;

const coordinatorFaults: ReadonlySet<FaultKind> = new Set<CoordinatorFault>([
  'crash',
  'power-cut',
  'suspend',
  'disk-full',
  'rot',
]);

function isCoordinatorFault(kind: FaultKind): kind is CoordinatorFault {
  return coordinatorFaults.has(kind);
}

/** One worker, or a pair, is wrong from now on, if nobody was before (it may come back) and enough others are there. */
function corrupt({ world, crew, coordinator }: Target, kind: LieKind): void {
  const isPair = kind === 'lie-pair';
  const ready =
    coordinator
      .engine()
      ?.status()
      .workers.filter(({ stage }) => stage === 'ready') ?? [];
  const alive = crew.alive().filter(({ connection }) => connection);
  const others = isPair || kind === 'lie-nan' ? 5 : 1;
  if (world.tally[kind] > 0 || ready.length < others || alive.length === 0) return;
  const first = world.draws.faults.below(alive.length);
  const liars = [alive[first]!, ...(isPair ? [alive[(first + 1) % alive.length]!] : [])];
  for (const worker of liars) {
    worker.lie = kind;
    worker.soundSinceMs = Infinity;
    world.tell?.('fault', { kind, worker: worker.name });
  }
  world.tally[kind]++;
}

/** Also while the coordinator reads its disk to come back. */
function strikeCoordinator({ world, crew, coordinator, watch }: Target, kind: CoordinatorFault): void {
  const { disk, draws, tally } = world;
  world.tell?.('fault', { kind });
  if (kind === 'suspend') {
    if (coordinator.suspend(drawDuration(world))) crew.watchCoordinator();
    return;
  }
  // Struck when the next snapshot is written, and counted then.
  if (kind === 'disk-full') return disk.failNextWrite();
  if (kind !== 'rot') {
    const how = kind === 'crash' ? 'killed' : 'power cut';
    // Half of them in the middle of work with the disk.
    if (draws.faults.chance(0.5)) disk.interruptAfter(draws.faults.below(12), how);
    else coordinator.crash(how);
    return;
  }
  const names = snapshotNames({ names: disk.peekNames });
  if (names.length === 0) return;
  tally.rot++;
  disk.rot(draws.faults.pick(names));
  watch.damaged();
}

function strikeWorker(
  { world, crew, coordinator }: Target,
  worker: SimulatedWorker,
  kind: WorkerFault,
): void {
  const { draws, tally, scenario } = world;
  const { faults } = draws;
  worker.soundSinceMs = Infinity;
  switch (kind) {
    // Struck when the next sum is sent, and counted then.
    case 'duplicate':
    case 'failure':
    case 'nonsense':
      worker.mischief.add(kind);
      return;
    case 'zombie':
      worker.repeats = true;
      return worker.connection?.close('worker');
    case 'reorder':
    case 'catch-up':
      return;
    case 'kill':
    case 'leave':
      crew.remove(worker);
      worker.connection?.close('worker');
      break;
    case 'drain':
      if (!coordinator.drain(worker)) return;
      world.agenda.after(faults.between(10, 2_000), () => crew.add());
      break;
    case 'pull':
      crew.remove(worker);
      crew.block(worker, Infinity);
      break;
    case 'pause':
      worker.pausedUntilMs = world.agenda.nowMs + drawDuration(world);
      crew.watchSilence(worker);
      break;
    case 'partition':
      crew.block(worker, drawDuration(world));
      break;
    case 'slow':
      worker.slowness = faults.between(2, 10);
      break;
    case 'delay':
      worker.link.latencyMs = scenario.latencyMs * faults.between(2, 20);
      break;
  }
  tally[kind]++;
}

/** Some pass before anybody takes the connection for lost, some do not. */
function drawDuration({ draws, scenario }: World): number {
  return scenario.silenceMs * draws.faults.pick([0.02, 0.1, 0.5, 1.5]) * draws.faults.between(0.5, 1.5);
}

function mend({ world, crew, coordinator }: Target): void {
  world.trace.note('calm');
  crew.mend();
  coordinator.start();
}
