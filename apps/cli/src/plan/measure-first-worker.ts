import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRunDirectory } from '@gradwire/checkpoint';
import { type Coordinator, type CoordinatorOptions, createCoordinator } from '@gradwire/coordinator';
import { GradwireError } from '@gradwire/errors';
import type { Recipe } from '@gradwire/recipes';

/** Where a run is about to be served, and of what. */
export interface FirstWorkerOptions
  extends Pick<CoordinatorOptions, 'recipeHash' | 'data' | 'host' | 'port' | 'token' | 'tls' | 'hosts'> {
  readonly recipe: Recipe;
  readonly signal: AbortSignal;
  /** Workers may come. */
  readonly onListening: (coordinator: Coordinator) => void;
  readonly onJoined: (worker: string) => void;
}

/** What the first worker takes for steps. */
export interface FirstWorker {
  readonly worker: string;
  /** Of computing, whatever the number of its threads. */
  readonly msPerSample: number;
  /** All else of a step: the way of weights and gradient, their coding, what threads wait for each other. */
  readonly otherMs: number;
  /** Where it was served: the run follows there. */
  readonly port: number;
}

/** On a slow link as few as this say enough; the first is not measured. */
const leastSteps = 4;
/** Elsewhere code is compiled meanwhile: what steps take at first is no measure of the link. */
const leastMs = 2_000;

/**
 * Serves some synchronous steps of a run that is thrown away, at the address of the run that follows: workers then come
 * back to that one. Resolves when the first worker is measured. Throws WORKER_FAILED, CANCELLED, or as createCoordinator does.
 */
export async function measureFirstWorker(options: FirstWorkerOptions): Promise<FirstWorker> {
  const { recipe, signal, onListening, onJoined, ...serving } = options;
  const { strategy: _, ...synchronous } = recipe;
  const folder = await mkdtemp(join(tmpdir(), 'gradwire-codec-'));
  let startedMs: number | undefined;
  let found: Omit<FirstWorker, 'port'> | undefined;
  try {
    const coordinator = await createCoordinator({
      ...serving,
      // Longer than it will last.
      recipe: { ...synchronous, epochs: 1_000_000, steps: 1_000_000 },
      createDirectory: () => createRunDirectory(folder, recipe.name),
      onEvent(event) {
        if (event.type === 'worker-joined' && event.workers === 1) onJoined(event.worker);
        if (event.type !== 'step') return;
        startedMs ??= performance.now();
        if (event.record.step < leastSteps || performance.now() - startedMs < leastMs) return;
        found ??= firstMeasured(coordinator);
        // Not in the middle of what the step still has to note.
        if (found) queueMicrotask(coordinator.stop);
      },
    });
    signal.addEventListener('abort', coordinator.stop, { once: true });
    if (signal.aborted) coordinator.stop();
    onListening(coordinator);
    const { failure } = await coordinator.done;
    signal.removeEventListener('abort', coordinator.stop);
    await coordinator.close();
    if (signal.aborted) throw new GradwireError('CANCELLED', 'stopped on request');
    if (found) return { ...found, port: coordinator.port };
    throw new GradwireError(
      'WORKER_FAILED',
      `no worker was measured: ${failure?.message ?? 'the run ended'}`,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function firstMeasured(coordinator: Coordinator): Omit<FirstWorker, 'port'> | undefined {
  for (const { worker, stepTimes } of coordinator.status().workers) {
    if (stepTimes) return { worker, ...stepTimes };
  }
  return undefined;
}
