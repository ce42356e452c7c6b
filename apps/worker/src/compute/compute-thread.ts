// A compute thread: started by `thread-pool.ts`, it computes leaves on a backend of its own.
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { prepareBackend } from '@gradwire/backend/prepare';
import { GradwireError, toError } from '@gradwire/errors';
import { loadVectors } from '@gradwire/kernels/vectors';
import { createBatcher, createTrainer, probeHash, type Trainer } from '@gradwire/training';
import { freeYoungGarbage } from '@gradwire/transport/young-garbage';
import { createLeafComputer, type LeafComputer } from './leaf-computer.ts';
import { createLeaseSamples } from './lease-samples.ts';
import { openSharedSums, type SharedSums } from './shared-sums.ts';
import type { ThreadFailure, ThreadOrder, ThreadReply, ThreadRun, ThreadStart } from './thread-messages.ts';

/** A run as this thread sees it. */
interface OpenRun {
  readonly trainer: Trainer;
  readonly sums: SharedSums;
  readonly computer: LeafComputer;
  readonly weights: Float32Array;
  /** Which weights the trainer holds, as orders number them. */
  weightsSet: number | undefined;
}

type ComputeOrder = Extract<ThreadOrder, { type: 'compute' }>;

/** How long an order is waited for at the bell: longer than the coordinator needs to add and to answer. */
const patienceMs = 50;

const { backend, bell } = workerData as ThreadStart;
const vectors = loadVectors();
let run: OpenRun | undefined;
let leaf: number | undefined;

async function start(): Promise<void> {
  const [{ name, kernelHash }] = await Promise.all([prepareBackend(backend), vectors]);
  reply({ type: 'ready', backend: { name, kernelHash } });
}

async function open({ recipe, statistics, counts, splits, weights, sums }: ThreadRun): Promise<void> {
  run?.trainer.dispose();
  const trainer = createTrainer({ recipe });
  const probe = await probeHash(trainer, weights);
  const math = await vectors;
  const shared = openSharedSums(sums, math);
  const computer = createLeafComputer({
    recipe,
    trainer,
    batcher: createBatcher(recipe, statistics, { reuse: true }),
    leaseSamples: createLeaseSamples(recipe, counts),
    splits,
    sums: shared,
    vectors: math,
    threads: sums.threads,
    onLeaf: (each) => (leaf = each),
  });
  run = { trainer, sums: shared, computer, weights, weightsSet: undefined };
  reply({ type: 'opened', probe });
}

function compute({ lease, cursor, cut, weightsSet }: ComputeOrder): void {
  if (run === undefined) throw new TypeError('compute: no run is open');
  const pieces = run.computer.pieces(lease, cut);
  for (;;) {
    // The slot comes first: a thread that waits for one must not hold a piece for which others wait.
    const slot = run.sums.take();
    const piece = pieces[Atomics.add(cursor, 0, 1)];
    if (piece === undefined) {
      run.sums.free(slot);
      break;
    }
    if (run.weightsSet !== weightsSet) run.trainer.setWeights(run.weights);
    run.weightsSet = weightsSet;
    const summed = run.computer.compute(lease, { ...piece, slot });
    const isLast = Atomics.load(cursor, 0) >= pieces.length;
    if (summed) reply({ type: 'summed', ...summed, isLast });
    if (summed && isLast) return;
  }
  reply({ type: 'idle' });
}

async function obey(first: ThreadOrder): Promise<void> {
  for (let order: ThreadOrder | undefined = first; order; ) {
    if (order.type === 'open') return open(order.run);
    leaf = undefined;
    const rung = Atomics.load(bell, 0);
    compute(order);
    // While the others compute and the coordinator adds.
    freeYoungGarbage();
    order = waitAtBell(rung);
  }
}

/** The next order, if it comes soon: who sleeps here is woken sooner than an event loop. */
function waitAtBell(rung: number): ThreadOrder | undefined {
  for (let seen = rung; ; seen = Atomics.load(bell, 0)) {
    const received = parentPort && receiveMessageOnPort(parentPort);
    if (received) return received.message as ThreadOrder;
    if (Atomics.wait(bell, 0, seen, patienceMs) === 'timed-out') return undefined;
  }
}

function reply(message: ThreadReply): void {
  parentPort?.postMessage(message);
}

function fail(thrown: unknown): void {
  const error = toError(thrown);
  const { code, hint } = error instanceof GradwireError ? error : {};
  const failure: ThreadFailure = {
    message: error.message,
    ...(code === undefined ? {} : { code }),
    ...(hint === undefined ? {} : { hint }),
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...(leaf === undefined ? {} : { leaf }),
  };
  reply({ type: 'failed', failure });
}

parentPort?.on('message', (order: ThreadOrder) => void obey(order).catch(fail));
start().catch(fail);
