import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type RunDirectory, writeFileWhole } from '@gradwire/checkpoint';
import type { VectorMath, WorkerId } from '@gradwire/engine';
import { GradwireError, toError } from '@gradwire/errors';
import { loadVectors } from '@gradwire/kernels/vectors';
import { closeCodes, type MessageLimits } from '@gradwire/protocol';
import { canonicalJson, type Recipe } from '@gradwire/recipes';
import {
  type Access,
  type Channel,
  type ChannelServer,
  createAccess,
  createChannelServer,
  createPair,
  createToken,
  httpServerOptions,
} from '@gradwire/transport';
import { type BlobStore, createBlobStore } from './blobs.ts';
import { codecsOf, limitsOf } from './codecs.ts';
import { createEnding } from './ending.ts';
import type { CoordinatorEvent, FailureReport, RunResult } from './events.ts';
import { createHttpHandler } from './http.ts';
import { createPlan, type Splits, statisticsOf } from './plan.ts';
import { createRecorder } from './recorder.ts';
import { writeResult } from './result.ts';
import { createRun, type RollBack, type Run } from './run.ts';
import { type RunStatus, readStatus } from './run-status.ts';
import { createSessions, type Sessions } from './sessions.ts';
import { watchForWaiting } from './waiting.ts';

/** What a coordinator is started with. */
export interface CoordinatorOptions {
  /** The recipe with all overrides. */
  readonly recipe: Recipe;
  /** Hash of the recipe before overrides: what a worker's own `--recipe` is compared with. */
  readonly recipeHash: string;
  readonly data: Splits;
  /** Makes the run directory, once the address is taken. */
  readonly createDirectory: () => Promise<RunDirectory>;
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
  readonly directory: RunDirectory;
  /** Connected now. */
  readonly workers: number;
  /** Resolves when the run has ended and its files are written; those that could not be are in `problems`. */
  readonly done: Promise<RunResult>;
  /** A channel for a worker in this process: what it sends is bounded as for any other. */
  connect(): Channel;
  /** Ends the run after what has been committed; files are written. */
  stop(): void;
  /** Ends the run as failed; the cause is what the first worker that failed has said, else `failure`. */
  fail(failure: FailureReport): void;
  /** Stops listening. Call it after `done`. */
  close(): Promise<void>;
}

/**
 * Starts the coordinator of one run: it serves data, leases shards to the workers that join, and writes the run's files.
 * Throws RECIPE_INVALID if recipe and data do not fit, CONNECTION_FAILED if the address is taken.
 */
export async function createCoordinator(options: CoordinatorOptions): Promise<Coordinator> {
  const { recipe, data, onEvent, token = createToken() } = options;
  const plan = createPlan(recipe, data);
  const codecs = codecsOf(recipe);
  const statistics = statisticsOf(recipe, data.train);
  const blobs = await createBlobStore(data);
  // The address comes first: a run that cannot listen leaves no folder behind.
  const server = await listen(options);
  const directory = await options.createDirectory();
  await writeFileWhole(join(directory.path, 'recipe.json'), `${JSON.stringify(recipe, null, 2)}\n`);
  const onProblem = ({ message }: Error): void => onEvent({ type: 'problem', message });
  const recorder = await createRecorder(directory.path, onProblem);
  const ending = createEnding();

  const vectors = await loadFastVectors(onProblem);
  const needs = { sessions: () => sessions, recorder, onEvent, onEnd: ending.end };
  const onRollBack = (wrong: RollBack): void => fail(describeWrong(wrong));
  const run: Run = createRun({ plan, codecs, vectors, ...needs, onRollBack });
  const fail = (failure: FailureReport): void => {
    ending.blame(failure);
    run.dispatch({ type: 'operator-asked', request: 'fail' });
  };
  const limits = limitsOf(plan, codecs);
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
    onDefect: ({ message, stack = '' }) => fail({ code: 'INTERNAL', message, stack }),
  });
  const access = createAccess({ run: directory.name, token });
  const names = { run: directory.name, recipe: recipe.name };
  const status = (): RunStatus => readStatus({ names, plan, run, sessions });
  const drain = (worker: WorkerId): void =>
    run.dispatch({ type: 'operator-asked', request: 'drain', worker });
  const channels = serve(server, { access, blobs, limits, sessions, status, drain });
  server.on('error', onProblem);
  const { port } = server.address() as AddressInfo;
  onEvent({ type: 'listening', host: options.host, port, run: directory.name, directory: directory.path });
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
    directory,
    get workers() {
      return sessions.byId.size;
    },
    done: finish(),
    connect: () => connectInside(sessions, limits),
    stop: () => run.dispatch({ type: 'operator-asked', request: 'stop' }),
    fail: (failure) => fail(ending.firstNoted() ?? failure),
    async close() {
      const { code, sentence } = closeCodes.runEnded;
      await channels.close(code, sentence);
      await closeServer(server);
    },
  };
}

/** The fast arithmetic on weights and gradients, or none and a word about it: the bits do not depend on it. */
async function loadFastVectors(onProblem: (error: Error) => void): Promise<VectorMath | undefined> {
  try {
    return await loadVectors();
  } catch (error) {
    const { message } = toError(error);
    onProblem(new Error(`updates take several times as long, with equal results: ${message}`));
    return undefined;
  }
}

/** Why a run cannot go on with what a worker has contributed. */
function describeWrong({ worker, step, unverified }: RollBack): FailureReport {
  const message = `${worker} computed wrong numbers: nothing after step ${step} can be trusted, ${unverified.length} of its contributions are in it`;
  return { worker, code: 'WRONG_NUMBERS', message };
}

function connectInside(sessions: Sessions, { maxBufferedBytes }: MessageLimits): Channel {
  const [mine, theirs] = createPair({ peers: ['this process', 'the coordinator'], maxBufferedBytes });
  void sessions.serve(mine);
  return theirs;
}

interface Served {
  readonly access: Access;
  readonly blobs: BlobStore;
  readonly limits: MessageLimits;
  readonly sessions: Sessions;
  readonly status: () => RunStatus;
  readonly drain: (worker: WorkerId) => void;
}

// Workers compute on threads of their own, so the one that answers pings is never busy for long.
const heartbeat = { intervalMs: 2_500, silenceMs: 15_000 };

/** Answers HTTP requests and WebSocket upgrades on a server that is already listening. */
function serve(server: Server, { access, blobs, limits, sessions, status, drain }: Served): ChannelServer {
  server.on(
    'request',
    createHttpHandler({ access, blobs, status, drainage: { workers: sessions.byId, drain } }),
  );
  const { maxFrameBytes, maxBufferedBytes } = limits;
  return createChannelServer({
    server,
    access,
    maxFrameBytes,
    onChannel: (channel) => void sessions.serve(channel),
    limits: { maxBufferedBytes, ...heartbeat },
  });
}

function listen({ host, port }: CoordinatorOptions): Promise<Server> {
  const server = createServer(httpServerOptions);
  return new Promise((resolve, reject) => {
    const refuse = (cause: Error): void =>
      reject(
        new GradwireError('CONNECTION_FAILED', `cannot listen on ${host}, port ${port}: ${cause.message}`, {
          cause,
          hint: 'Choose another address with --host or another port with --port (0 takes a free one).',
        }),
      );
    server.once('error', refuse);
    server.listen(port, host, () => resolve(server.off('error', refuse)));
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
