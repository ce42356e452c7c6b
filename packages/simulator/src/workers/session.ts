import { type EnginePlan, isGroupNode, type PartialSum, treeCover, type TreeNode } from '@gradwire/engine';
import type { World } from '../base/world.ts';
import type { Work } from '../scenario/work.ts';
import { codeKeeping, nodeSum } from '../watch/reference.ts';
import type { ToCoordinator, ToWorker } from './connection.ts';
import { spoil } from './nonsense.ts';
import { isEqual, lies } from './lies.ts';
import { type Remembered, type SimulatedWorker, whenAwake } from './simulated-worker.ts';

/** What a session has of its connection. */
interface Line {
  send(message: ToCoordinator): void;
  isOpen(): boolean;
}

type Lease = Extract<ToWorker, { type: 'lease' }>;
type Handlers = {
  readonly [Type in ToWorker['type']]: (message: Extract<ToWorker, { type: Type }>, done: () => void) => void;
};

/** A worker's part of one connection: it takes one message after the other, and answers each before the next. */
export function createSession(
  world: World,
  worker: SimulatedWorker,
  line: Line,
): { receive(message: ToWorker): void } {
  const inbox: ToWorker[] = [];
  let isBusy = false;
  const handlers = createHandlers(world, worker, line);

  const next = (): void => {
    const message = isBusy ? undefined : inbox.shift();
    if (!message) return;
    isBusy = true;
    const done = (): void => {
      isBusy = false;
      next();
    };
    // The type of the message picks the handler for it, which the compiler cannot follow.
    (handlers[message.type] as (message: ToWorker, done: () => void) => void)(message, done);
  };
  return {
    receive(message) {
      inbox.push(message);
      whenAwake(world, worker, next);
    },
  };
}

function createHandlers(world: World, worker: SimulatedWorker, line: Line): Handlers {
  const { agenda, draws, tally } = world;
  let id: Extract<ToWorker, { type: 'welcome' }>['id'];
  let term = 0;
  let held: Extract<ToWorker, { type: 'weights' }> | undefined;
  let before: Float32Array | undefined;
  let lastRound = -1;
  const kept: Kept = { rests: new Map(), versions: new Map() };
  const mayRepeat = world.scenario.faults.includes('zombie');

  /** Goes on after some time of work, unless the connection has ended: then nobody needs it. */
  const work = (ms: number, then: () => void): void =>
    agenda.after(ms, () => whenAwake(world, worker, () => line.isOpen() && then()));

  const send = (partial: PartialSum): void => {
    const message = { type: 'partial', term, partial } as const;
    if (mayRepeat) {
      worker.remembered.splice(0, worker.remembered.length - 3);
      worker.remembered.push({ id, message: copyOf(world, message) });
    }
    if (worker.mischief.delete('duplicate')) {
      tally.duplicate++;
      line.send(copyOf(world, message));
    }
    line.send(message);
  };

  return {
    welcome(message, done) {
      ({ id, term } = message);
      work(draws.work.between(1, 60), () => {
        line.send({ type: 'ready' });
        done();
      });
    },
    prepare({ shards }, done) {
      work(draws.work.between(1, 60), () => {
        line.send({ type: 'prepared', shards });
        if (worker.repeats) repeat(world, worker, { id, line });
        done();
      });
    },
    weights(message, done) {
      before = held?.weights;
      held = message;
      done();
    },
    lease(lease, done) {
      const { round, leaves } = lease;
      if (!held || held.version !== round.version) {
        throw new RangeError(`${id} holds weights ${held?.version}, and got a lease on ${round.version}`);
      }
      if (mayFail(world, worker, lease)) {
        line.send({ type: 'failed', round: round.index, leaf: draws.work.pick(leaves) });
        return;
      }
      const nodes = nodesOf(lease, world.scenario.plan);
      const { weights } = held;
      const isSecond = lastRound === round.index;
      lastRound = round.index;
      const computeNext = (): void => {
        const node = nodes.shift();
        if (!node) return done();
        const partial = answer(world, worker, { lease, node, weights, kept, before, isSecond });
        work(partial.computeMs, () => {
          if (lease.feedback?.isReplay) return computeNext();
          send(worker.mischief.delete('nonsense') ? spoil(world, worker, partial) : partial);
          computeNext();
        });
      };
      computeNext();
    },
  };
}

function nodesOf({ round, leaves }: Lease, { coding }: EnginePlan): TreeNode[] {
  const groupSize = (round.task === 'step' && coding?.groupSize) || round.leafCount;
  return treeCover(leaves, round.leafCount, groupSize);
}

/** What it computed under its name, and the coordinator may have heard already. */
function repeat(
  world: World,
  worker: SimulatedWorker,
  { id, line }: { readonly id: Remembered['id']; readonly line: Line },
): void {
  worker.repeats = false;
  for (const { message } of worker.remembered.filter((each) => each.id === id)) {
    world.tally.zombie++;
    line.send(copyOf(world, message));
  }
}

function mayFail(world: World, worker: SimulatedWorker, { round }: Lease): boolean {
  const { failed } = world;
  const place = 2 * round.version + (round.task === 'step' ? 0 : 1);
  if (failed.has(place) || !worker.mischief.delete('failure')) return false;
  failed.add(place);
  world.tally.failure++;
  return true;
}

interface Question extends NodeWork {
  readonly before: Float32Array | undefined;
  readonly isSecond: boolean;
}

/** The truth, or what it tells instead. */
function answer(world: World, worker: SimulatedWorker, question: Question): PartialSum {
  const { before, isSecond, lease, node, weights, kept } = question;
  const honest = computeNode(world, worker, { lease, node, weights, kept });
  const { task } = lease.round;
  if (!worker.lie || (worker.lie === 'lie-evaluation') !== (task === 'evaluate')) return honest;
  const told = lies[worker.lie]({
    honest,
    isSecond,
    isFirst: !worker.hasLied,
    again: ({ isStale = false, work }) => {
      const again = { lease, node, weights: (isStale ? before : undefined) ?? weights, kept };
      return {
        ...honest,
        ...computeNode(world, worker, work ? { ...again, change: work } : again),
      };
    },
  });
  if (isEqual(told, honest)) return honest;
  worker.hasLied = true;
  worker.isHonest = false;
  world.lies.add(told);
  return told;
}

/** Error feedback: what was left out of each group, by its first leaf, and in which step. */
interface Kept {
  readonly rests: Map<number, Float32Array>;
  readonly versions: Map<number, number>;
}

interface NodeWork {
  readonly kept: Kept;
  readonly change?: (work: Work) => Work;
  readonly lease: Lease;
  readonly node: TreeNode;
  readonly weights: Float32Array;
}

function computeNode(
  world: World,
  worker: SimulatedWorker,
  { lease, node, weights, change, kept }: NodeWork,
): PartialSum {
  const { draws, scenario } = world;
  const { plan, msPerSample } = scenario;
  const work = change ? change(scenario.work) : scenario.work;
  const { round } = lease;
  const { lo, hi } = node;
  const samples = round.split ? plan.evaluations.blocks[round.split] : plan.stepSamples(round.step);
  const { coding } = plan;
  const sums = nodeSum({ plan, isPlain: true, work, round, samples, weights }, node);
  if (!sums) throw new RangeError(`a lease for [${lo}, ${hi}), which holds no samples`);
  const isCoded =
    coding !== undefined &&
    lease.feedback === undefined &&
    round.task === 'step' &&
    isGroupNode(node, round.leafCount, coding.groupSize) &&
    draws.work.chance(0.8);
  return {
    round: round.index,
    lo,
    hi,
    samples: sums.samples,
    computeMs: sums.samples * msPerSample * worker.slowness * draws.work.between(0.8, 1.3),
    metrics: sums.metrics,
    ...codeNode(sums.gradient, { plan, lease, node, kept, isCoded }),
  };
}

type CodedNode = Pick<NodeWork, 'lease' | 'node' | 'kept'> & {
  readonly plan: EnginePlan;
  readonly isCoded: boolean;
};

/** What is sent instead of a plain sum. */
function codeNode(
  gradient: Float32Array,
  { plan, lease, node, kept, isCoded }: CodedNode,
): Pick<PartialSum, 'isCoded'> & { readonly gradient: Float32Array } {
  const { feedback, round } = lease;
  const { coding } = plan;
  if (!coding || (!isCoded && !feedback)) return { gradient };
  if (!feedback) return { gradient: coding.code(gradient), isCoded };
  const { lo } = node;
  if (round.version === feedback.since) kept.rests.delete(lo);
  else if (kept.versions.get(lo) !== round.version - 1)
    throw new RangeError(`nothing is kept of [${lo}, ${node.hi}) before step ${round.version + 1}`);
  kept.versions.set(lo, round.version);
  const sent = codeKeeping(gradient, lo, { plan, place: feedback, rests: kept.rests });
  return feedback.isLast ? { gradient: sent } : { gradient: sent, isCoded: true };
}

/** The engine takes over the vectors of a message, so each message has its own. */
function copyOf<Message extends Extract<ToCoordinator, { type: 'partial' }>>(
  { lies: told }: World,
  message: Message,
): Message {
  const { gradient, metrics } = message.partial;
  const partial = { ...message.partial, gradient: gradient.slice(), metrics: metrics.slice() };
  if (told.has(message.partial)) told.add(partial);
  return { ...message, partial };
}
