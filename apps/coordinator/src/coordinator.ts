import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type RunDirectory, writeFileWhole } from '@gradwire/checkpoint';
import { GradwireError } from '@gradwire/errors';
import { messageLimits } from '@gradwire/protocol';
import { canonicalJson, type Recipe } from '@gradwire/recipes';
import { type Channel, createChannelServer, createToken } from '@gradwire/transport';
import { createBlobStore } from './blobs.ts';
import { createEnding } from './ending.ts';
import type { CoordinatorEvent, FailureReport, RunResult } from './events.ts';
import { createHttpServer } from './http.ts';
import { createPlan, type Splits, statisticsOf } from './plan.ts';
import { createRecorder } from './recorder.ts';
import { writeResult } from './result.ts';
import { createRun, type Run } from './run.ts';
import { createSessions, type Sessions } from './sessions.ts';
import { describeWaiting, watchForWaiting } from './waiting.ts';

/** What a coordinator is started with. */
export interface CoordinatorOptions {
  /** The recipe with all overrides. */
  readonly recipe: Recipe;
  /** Hash of the recipe before overrides: what a worker's own `--recipe` is compared with. */
  readonly recipeHash: string;
  readonly data: Splits;
  readonly directory: RunDirectory;
  /** For example `127.0.0.1`, or `0.0.0.0` for all addresses. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Default: a new random one. */
  readonly token?: string;
  readonly onEvent: (event: CoordinatorEvent) => void;
}

/** A coordinator that is listening. */
export interface Coordinator {
  readonly host: string;
  readonly port: number;
  readonly token: string;
  /** Resolves when the run has ended and its files are written. Rejects with FILE_WRITE_FAILED if they cannot be. */
  readonly done: Promise<RunResult>;
  /** Ends the run after what has been committed; files are written. */
  stop(): void;
  /** Ends the run as failed, with a cause that only the caller knows. */
  fail(failure: FailureReport): void;
  /** Stops listening. Call it after `done`. */
  close(): Promise<void>;
}

/**
 * Starts the coordinator of one run: it serves data, leases shards to the workers that join, and writes the run's files.
 * Throws RECIPE_INVALID if recipe and data do not fit, CONNECTION_FAILED if the address is taken.
 */
export async function createCoordinator(options: CoordinatorOptions): Promise<Coordinator> {
  const { recipe, data, directory, onEvent, token = createToken() } = options;
  const plan = createPlan(recipe, data);
  const statistics = statisticsOf(recipe, data.train);
  const blobs = await createBlobStore(data);
  await writeFileWhole(join(directory.path, 'recipe.json'), `${JSON.stringify(recipe, null, 2)}\n`);
  const recorder = await createRecorder(directory.path);
  const ending = createEnding();

  const run: Run = createRun({ plan, sessions: () => sessions, recorder, onEvent, onEnd: ending.end });
  const limits = messageLimits({ role: 'worker', parameters: plan.layout.size, classes: plan.classes });
  const sessions: Sessions = createSessions({
    welcome: {
      run: directory.name,
      recipe: canonicalJson(recipe),
      recipeHash: options.recipeHash,
      manifests: blobs.manifests,
      statistics,
    },
    limits,
    onEvent,
    onReceive: run.dispatch,
    onFailure: ending.note,
    onDefect: ({ message, stack = '' }) => ending.fail({ code: 'INTERNAL', message, stack }),
  });
  const server = createHttpServer({ token, blobs, status: () => statusOf(run, sessions) });
  const { maxFrameBytes, maxBufferedBytes } = limits;
  const onChannel = (channel: Channel): void => void sessions.serve(channel);
  const channels = createChannelServer({
    server,
    token,
    maxFrameBytes,
    onChannel,
    limits: { maxBufferedBytes },
  });
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  onEvent({ type: 'listening', host: options.host, port });
  const notice = watchForWaiting(run, onEvent);
  run.start();

  const finish = async (): Promise<RunResult> => {
    const { outcome, failure } = await ending.ended;
    notice.stop();
    sessions.sayGoodbye(outcome, failure?.message ?? '');
    const { classNames } = data.train;
    const from = { run, recorder, sessions, plan, recipe, statistics, classNames, directory: directory.path };
    return writeResult(from, { outcome, failure });
  };
  return {
    host: options.host,
    port,
    token,
    done: finish(),
    stop: () => run.dispatch({ type: 'operator-asked', request: 'stop' }),
    fail: ending.fail,
    async close() {
      await channels.close();
      await closeServer(server);
    },
  };
}

function statusOf(run: Run, sessions: Sessions): unknown {
  const status = run.engine.status();
  const workers = [...sessions.byId.values()].map(({ id, backend, numericsClass }) => ({
    id,
    backend,
    numericsClass,
  }));
  return { ...status, waiting: describeWaiting(status), workers };
}

function listen(server: Server, { host, port }: CoordinatorOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      reject(
        new GradwireError('CONNECTION_FAILED', `cannot listen on ${host}, port ${port}: ${cause.message}`, {
          cause,
          hint: 'Choose another address with --host or another port with --port (0 takes a free one).',
        }),
      );
    });
    server.listen(port, host, resolve);
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
