import { isGroupNode, treeCover, type TreeNode } from '@gradwire/engine';
import type { VectorBytes } from './codecs.ts';
import type { Link } from './link.ts';

/** What a machine takes for the pieces of a step, in milliseconds. */
export interface Costs {
  /** One micro-batch of one shard: gathered, preprocessed, forward, backward. */
  readonly gradientMs: number;
  /** Several of them in one pass, where passes take several. */
  readonly pass?: { readonly leaves: number; readonly ms: number };
  /** The same with an update of the local weights. */
  readonly localStepMs: number;
  /** A worker decodes the weights and takes them over. */
  readonly receiveMs: number;
  /** A worker encodes a partial, as float32: a codec takes some nanoseconds an element more, which is left out. */
  readonly sendMs: number;
  /** The coordinator encodes the weights, once for all. */
  readonly publishMs: number;
  /** The coordinator decodes a partial, checks and adds it. */
  readonly addMs: number;
  /** The coordinator averages and updates the weights. */
  readonly commitMs: number;
}

/** What one step is made of. */
export interface StepShape {
  readonly workers: number;
  /** Of each worker: leaves that it computes at once. */
  readonly threads: number;
  readonly shards: number;
  /** Of all shards together. */
  readonly samples: number;
  /** Absent: the gradient of one micro-batch. */
  readonly localSteps?: number;
  /** Asynchronous: each worker takes whole steps, and this many may be missed. */
  readonly maxStaleness?: number;
  readonly bytes: VectorBytes;
  readonly link: Link;
}

/** What to expect of a step. */
export interface Prediction {
  /** Between two updates of the weights. */
  readonly stepMs: number;
  readonly samplesPerSecond: number;
  /** Share of a worker's time in which it does not compute. */
  readonly waitingShare: number;
}

/** Predicts the steady state with threads as fast as the one that was measured, and a link of its own for each worker. */
export function predictStep(costs: Costs, shape: StepShape): Prediction {
  const { stepMs, computeMs, cycleMs } =
    shape.maxStaleness === undefined ? inStep(costs, shape) : outOfStep(costs, shape);
  return {
    stepMs,
    samplesPerSecond: (1000 * shape.samples) / stepMs,
    waitingShare: Math.max(0, 1 - computeMs / cycleMs),
  };
}

interface Timing {
  readonly stepMs: number;
  /** What one worker computes in one cycle of its own. */
  readonly computeMs: number;
  readonly cycleMs: number;
}

/** Everybody waits for the slowest: its weights arrive, it computes leaf by leaf, and sends each tree node meanwhile. */
function inStep(costs: Costs, shape: StepShape): Timing {
  const { shards } = shape;
  const workers = Math.min(shape.workers, shards);
  const arrivals = Array.from({ length: workers }, (_, worker) => {
    const [lo, hi] = [worker, worker + 1].map((n) => Math.ceil((n * shards) / workers)) as [number, number];
    return lastArrival(
      costs,
      shape,
      Array.from({ length: hi - lo }, (__, i) => lo + i),
    );
  });
  const lastMs = Math.max(...arrivals);
  // The last partials of all workers arrive together, and are added one after the other.
  const stepMs = costs.publishMs + lastMs + workers * costs.addMs + costs.commitMs;
  return { stepMs, cycleMs: stepMs, computeMs: computeMs(costs, shape, Math.ceil(shards / workers)) };
}

/** When the last partial of a worker with these leaves is with the coordinator, after the weights were sent. */
function lastArrival(costs: Costs, shape: StepShape, leaves: readonly number[]): number {
  const { link, bytes, shards } = shape;
  const [first = 0] = leaves;
  const startMs = link.roundTripMs / 2 + downMs(shape) + costs.receiveMs;
  let sentMs = 0;
  for (const node of treeCover(leaves, shards, bytes.group?.shards)) {
    const readyMs = startMs + computeMs(costs, shape, node.hi - first) + costs.sendMs;
    sentMs = Math.max(sentMs, readyMs) + upMs(shape, node);
  }
  return sentMs + link.roundTripMs / 2;
}

/** Each worker goes round by itself; the coordinator serves them in turn. */
function outOfStep(costs: Costs, shape: StepShape): Timing {
  const { link, shards, bytes, workers, maxStaleness = 0 } = shape;
  const computingMs = computeMs(costs, shape, shards);
  const servedMs = costs.publishMs + costs.addMs + costs.commitMs;
  const leaves = Array.from({ length: shards }, (_, leaf) => leaf);
  const nodes = treeCover(leaves, shards, bytes.group?.shards);
  const sendingMs = nodes.reduce((sum, node) => sum + upMs(shape, node), 0);
  const wayMs = link.roundTripMs + downMs(shape) + sendingMs;
  const cycleMs = servedMs + wayMs + costs.receiveMs + computingMs + costs.sendMs;
  const stepMs = Math.max(cycleMs / Math.min(workers, maxStaleness + 1), servedMs);
  return { stepMs, computeMs: computingMs, cycleMs: Math.max(cycleMs, workers * stepMs) };
}

/** What a worker takes for some leaves. */
function computeMs(costs: Costs, { localSteps, threads }: StepShape, leaves: number): number {
  const own = Math.ceil(leaves / threads);
  return localSteps === undefined ? gradientsMs(costs, own) : own * localSteps * costs.localStepMs;
}

/** A pass costs something, and so does each leaf. */
function gradientsMs({ gradientMs, pass }: Costs, leaves: number): number {
  if (!pass) return leaves * gradientMs;
  const passMs = Math.max(0, (pass.leaves * gradientMs - pass.ms) / (pass.leaves - 1));
  return Math.ceil(leaves / pass.leaves) * passMs + leaves * (gradientMs - passMs);
}

function downMs({ link, bytes }: StepShape): number {
  return transferMs(bytes.weights, link.downBitsPerSecond);
}

/** A group in its codec, what is less than one as it is. */
function upMs({ link, bytes: { plain, group }, shards }: StepShape, node: TreeNode): number {
  const isCoded = group !== undefined && isGroupNode(node, shards, group.shards);
  return transferMs(isCoded ? group.bytes : plain, link.upBitsPerSecond);
}

/** Without what protocols add: a few dozen bytes a message, and some percent of any. */
function transferMs(bytes: number, bitsPerSecond: number): number {
  return (8000 * bytes) / bitsPerSecond;
}
