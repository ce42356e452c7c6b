import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRunDirectory } from '@gradwire/checkpoint';
import { createCoordinator } from '@gradwire/coordinator';
import { GradwireError } from '@gradwire/errors';
import { type Recipe, recipeHash } from '@gradwire/recipes';
import type { LoadedDataset } from '../datasets.ts';
import { type LocalWorkers, startLocalWorkers } from '../processes/local-workers.ts';
import { type Link, loopback } from './link.ts';
import { type ShapedLink, startShapedLink } from './shaped-link.ts';

/** A short training whose steps are timed. */
export interface TrialOptions {
  readonly recipe: Recipe;
  readonly data: LoadedDataset;
  /** Processes on this machine, each behind a link of its own. */
  readonly workers: number;
  readonly link: Link;
  readonly steps: number;
  /** Further arguments of `gradwire worker`. */
  readonly workerArguments: readonly string[];
  readonly signal: AbortSignal;
  readonly onStep: (step: number) => void;
}

/** What a trial has measured. */
export interface Trial {
  /** Median time of a step since the one before, or the evaluation after that; without the first two. */
  readonly stepMs: number;
  readonly samplesPerSecond: number;
}

/** Trains for some steps on this machine, with real processes and sockets. Throws WORKER_FAILED or CANCELLED. */
export async function runTrial(options: TrialOptions): Promise<Trial> {
  const { recipe, data, steps, signal } = options;
  const folder = await mkdtemp(join(tmpdir(), 'gradwire-plan-'));
  const watch = createStepWatch(options.onStep);
  const coordinator = await createCoordinator({
    recipe: { ...recipe, steps },
    recipeHash: await recipeHash(recipe),
    data,
    createDirectory: () => createRunDirectory(folder, recipe.name),
    host: '127.0.0.1',
    port: 0,
    onEvent: watch.onEvent,
  });
  const stop = (): void => coordinator.stop();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  await using local = await startWorkers(options, coordinator);
  try {
    const { outcome, failure } = await coordinator.done;
    if (signal.aborted) throw new GradwireError('CANCELLED', 'stopped on request');
    if (outcome === 'finished') return watch.trial();
    throw new GradwireError(
      'WORKER_FAILED',
      `the trial ${outcome}: ${failure?.message ?? 'no reason given'}`,
    );
  } finally {
    signal.removeEventListener('abort', stop);
    await local.stop();
    await coordinator.close();
    await rm(folder, { recursive: true, force: true });
  }
}

type Started = Awaited<ReturnType<typeof createCoordinator>>;

async function startWorkers(
  { workers, link, workerArguments }: TrialOptions,
  coordinator: Started,
): Promise<AsyncDisposable & { stop(): Promise<void> }> {
  const { port, token } = coordinator;
  const links: ShapedLink[] = [];
  const groups: LocalWorkers[] = [];
  const isShaped = link !== loopback;
  for (let n = 0; n < (isShaped ? workers : 1); n += 1) {
    if (isShaped) links.push(await startShapedLink(port, link));
    groups.push(
      startLocalWorkers({
        count: isShaped ? 1 : workers,
        url: `ws://127.0.0.1:${links.at(-1)?.port ?? port}`,
        token,
        args: workerArguments,
        onEvent: (event) => {
          if (event.type !== 'died') return;
          const { name, cause, lastLines } = event;
          coordinator.fail({ worker: name, code: 'WORKER_FAILED', message: cause, log: lastLines });
        },
      }),
    );
  }
  return {
    stop: async () => void (await Promise.all(groups.map((group) => group.stop()))),
    async [Symbol.asyncDispose]() {
      for (const each of links) await each[Symbol.asyncDispose]();
    },
  };
}

interface StepWatch {
  onEvent(event: { readonly type: string; readonly record?: object }): void;
  trial(): Trial;
}

function createStepWatch(onStep: (step: number) => void): StepWatch {
  const intervals: { readonly ms: number; readonly samples: number }[] = [];
  let steps = 0;
  let lastMs: number | undefined;
  return {
    onEvent({ type, record }) {
      const nowMs = performance.now();
      // The next step begins after the evaluation.
      if (type === 'evaluated') lastMs = nowMs;
      if (type !== 'step') return;
      const { samples } = record as { samples: number };
      steps += 1;
      if (steps > 2 && lastMs !== undefined) intervals.push({ ms: nowMs - lastMs, samples });
      lastMs = nowMs;
      onStep(steps);
    },
    trial() {
      const sorted = intervals.toSorted((a, b) => a.ms - b.ms);
      const median = sorted[Math.floor(sorted.length / 2)];
      if (!median) throw new GradwireError('OPTION_INVALID', 'too few steps to measure one');
      return { stepMs: median.ms, samplesPerSecond: (1000 * median.samples) / median.ms };
    },
  };
}
