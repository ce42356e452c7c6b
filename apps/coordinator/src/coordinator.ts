import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RunDirectory } from '@gradwire/checkpoint';
import type { VectorMath, WorkerId } from '@gradwire/engine';
import { toError } from '@gradwire/errors';
import { loadVectors } from '@gradwire/kernels/vectors';
import { closeCodes, type MessageLimits } from '@gradwire/protocol';
import { canonicalJson, type Recipe } from '@gradwire/recipes';
import {
  type Access,
  type Channel,
  type ChannelServer,
  type ChannelServerLimits,
  createAccess,
  createChannelServer,
  createPair,
  createToken,
  refuseEverything,
} from '@gradwire/transport';
import { type BlobStore, createBlobStore } from './blobs.ts';
import { watchClock } from './clock-watch.ts';
import { codecsOf, limitsOf } from './codecs.ts';
import { createEnding, type Ending } from './ending.ts';
import type { CoordinatorEvent, FailureReport, RunResult } from './events.ts';
import { finishRun } from './finish.ts';
import { createHttpHandler } from './http.ts';
import { closeServer, joinSecrets, listen, type TlsCertificate } from './listen.ts';
import { createPlan, type Splits, statisticsOf } from './plan.ts';
import { nameSamples } from './poison-samples.ts';
import { createProgress } from './progress.ts';
import { createRun, type RollBack, type Run } from './run.ts';
import { readStatus, type RunStatus, type StatusSource } from './run-status.ts';
import { createSessions, type Sessions, type SessionsOptions } from './sessions.ts';
import { goBack, type GoBackOptions } from './storage/go-back.ts';
import { openStorage, type RunStorage } from './storage/open-storage.ts';
import { contributedUntil, startOf } from './storage/resume-point.ts';
import { createSnapshots, type Snapshots } from './storage/snapshots.ts';
import { createVerification } from './verification.ts';
import { type WaitingNotice, watchForWaiting } from './waiting.ts';

/** What a coordinator is started with. */
export interface CoordinatorOptions {
  /** The recipe with all overrides. */
  readonly recipe: Recipe;
  /** Hash of the recipe before overrides: what a worker's own `--recipe` is compared with. */
  readonly recipeHash: string;
  readonly data: Splits;
  /** Makes the run directory, or finds that of an earlier run, once the address is taken. */
  readonly createDirectory: () => Promise<RunDirectory>;
  /** The directory is that of an earlier run, which goes on from its newest good snapshot. */
  readonly resume?: boolean;
  /** Refuses workers of another numerics class than the first one's. */
  readonly exact?: boolean | undefined;
  /** Steps between two snapshots; default: chosen from their measured cost. */
  readonly snapshotEvery?: number | undefined;
  /** For example `127.0.0.1`, or `0.0.0.0` for all addresses. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Share of the leases that a second worker computes too, from 0 to 1; default 0. Not for asynchronous recipes. */
  readonly verify?: number | undefined;
  /** Default: a new random one. */
  readonly token?: string;
  /** For `wss` and `https` instead of `ws` and `http`. */
  readonly tls?: TlsCertificate;
  /** Names of this machine besides its own, and hosts of web pages, from which a browser may ask. */
  readonly hosts?: readonly string[];
  /** Kept in the run directory, as JSON, for whoever resumes the run: `readStoredRun` gives it back. No secrets. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** What `--codec auto` chose and why, for the status. */
  readonly codecChoice?: string | undefined;
  /** Other bounds on connections than usual, for tests. */
  readonly limits?: Partial<ChannelServerLimits>;
  readonly onEvent: (event: CoordinatorEvent) => void;
}

/** A coordinator that is listening. */
export interface Coordinator {
  readonly host: string;
  readonly port: number;
  readonly token: string;
  /** What stands after `#` in the address for workers: the token, with TLS followed by a comma and the fingerprint. */
  readonly secret: string;
  /** The same for those who may only look. */
  readonly observerSecret: string;
  readonly isSecure: boolean;
  readonly directory: RunDirectory;
  /** Connected now. */
  readonly workers: number;
  status(): RunStatus;
  /**
   * Resolves when the run has ended and its files are written; those that could not be are in `problems`. Rejects with
   * RUN_TAKEN, and writes nothing, once another coordinator has taken over.
   */
  readonly done: Promise<RunResult>;
  /** A channel for a worker in this process: what it sends is bounded as for any other. */
  connect(): Channel;
  /** Ends the run for now, after what has been committed: a snapshot and the files are written, workers told to come back. */
  stop(): void;
  /** Ends the run as failed; the cause is what the first worker that failed has said, else `failure`. */
  fail(failure: FailureReport): void;
  /** Stops listening. Call it after `done`. */
  close(): Promise<void>;
}

/**
 * Starts the coordinator of one run: it serves data, leases shards to the workers that join, and writes the run's files.
 * Throws RECIPE_INVALID if recipe and data do not fit, CONNECTION_FAILED if the address is taken; with `resume`
 * RECIPE_MISMATCH or DATA_MISMATCH if the run was another one, FILE_CORRUPT if it cannot go on.
 */
export async function createCoordinator(options: CoordinatorOptions): Promise<Coordinator> {
  const { recipe, data, host, onEvent, token = createToken(), codecChoice } = options;
  const plan = createPlan(recipe, data);
  const codecs = codecsOf(recipe);
  const statistics = statisticsOf(recipe, data.train);
  const blobs = await createBlobStore(data);
  const onProblem = ({ message }: Error): void => onEvent({ type: 'problem', message });
  const { server, port, directory, storage, admit } = await open({ ...options, token }, blobs, onProblem);
  const { recorder, point, incidents, claim } = storage;
  const ending = createEnding();
  const run: Run = createRun({
    plan,
    codecs,
    term: claim.term,
    vectors: await loadFastVectors(onProblem),
    from: point?.snapshot && startOf(point.snapshot),
    contributed: contributedUntil(point),
    verify: createVerification(options.verify),
    sessions: () => sessions,
    progress: createProgress({ plan, recorder, countWorkers: () => sessions.byId.size, onEvent }),
    onEvent,
    onRoundClosed: () => snapshots.roundClosed(),
    onRollBack: (effect) => rollBacks.begin(effect),
    onIncident: incidents.note,
    explainEnd: (end) => nameSamples(end, recipe, data.train.count),
    onEnd: ending.end,
  });
  const fail = (failure: FailureReport): void => {
    ending.blame(failure);
    run.dispatch({ type: 'operator-asked', request: 'fail' });
  };
  const limits = limitsOf(plan, codecs);
  const sessions: Sessions = createSessions({
    welcome: welcomeTo(directory, { ...options, ...blobs, ...claim, statistics }),
    limits,
    exact: options.exact ?? false,
    onEvent,
    onReceive: run.dispatch,
    onFailure: ending.note,
    onDefect: ({ message, stack = '' }) => fail({ code: 'INTERNAL', message, stack }),
    backendsBefore: point?.snapshot?.record.backends ?? {},
  });
  const from = { name: directory.name, storage, run, sessions, everySteps: options.snapshotEvery };
  const snapshots: Snapshots = createSnapshots({ ...from, onEvent });
  const rollBacks = createRollBacks({ plan, run, storage, snapshots }, { onEvent, fail });
  const access = createAccess({ run: directory.name, token, hosts: [host, ...(options.hosts ?? [])] });
  const shown = { name: directory.name, recipe, plan, run, sessions, incidents, codecChoice };
  const channels = serve(server, { ...shown, access, blobs, limits, bounds: options.limits, admit });
  const notice = begin(run, { host, port, directory, storage, onEvent });
  const { classNames } = data.train;
  const source = { run, recorder, sessions, plan, recipe, statistics, classNames, directory: directory.path };
  const done = finishRun({ ...source, ending, storage, snapshots, onProblem }).finally(notice.stop);
  // Reported by whoever waits for it.
  done.catch(() => undefined);
  return {
    host,
    port,
    token,
    ...joinSecrets(token, options.tls),
    directory,
    get workers() {
      return sessions.byId.size;
    },
    status: () => readStatus(shown),
    done,
    connect: () => connectInside(sessions, limits),
    stop: () => void rollBacks.settled().then(() => stop(run, snapshots)),
    fail: (failure) => fail(ending.firstNoted() ?? failure),
    close: () => close(server, channels, ending),
  };
}

/** Says where it listens, and lets the engine start. */
function begin(
  run: Run,
  {
    host,
    port,
    directory,
    storage,
    onEvent,
  }: Omit<Opened, 'server' | 'admit'> & Pick<CoordinatorOptions, 'host' | 'onEvent'>,
): WaitingNotice {
  onEvent({ type: 'listening', host, port, run: directory.name, directory: directory.path });
  const notice = watchForWaiting(run, onEvent);
  const clock = watchClock(storage.incidents.note);
  const { point, recorder, claim } = storage;
  if (point) onEvent({ type: 'resumed', step: recorder.steps, term: claim.term });
  run.start();
  return {
    stop() {
      notice.stop();
      clock.stop();
    },
  };
}

/** What a worker is told when it joins. */
function welcomeTo(
  { name }: RunDirectory,
  {
    recipe,
    recipeHash,
    runId,
    term,
    manifests,
    statistics,
  }: CoordinatorOptions & Omit<SessionsOptions['welcome'], 'run' | 'recipe' | 'recipeHash'>,
): SessionsOptions['welcome'] {
  return { run: name, runId, term, recipe: canonicalJson(recipe), recipeHash, manifests, statistics };
}

interface RollBacks {
  begin(effect: RollBack): void;
  /** What the engine holds while it goes back is wrong: nothing may be made of it before. */
  settled(): Promise<void>;
}

function createRollBacks(
  what: GoBackOptions,
  report: Pick<CoordinatorOptions, 'onEvent'> & Pick<Coordinator, 'fail'>,
): RollBacks {
  let last = Promise.resolve();
  return {
    begin(effect) {
      last = rollBack(what, effect, report);
    },
    settled: () => last,
  };
}

async function rollBack(
  what: GoBackOptions,
  effect: RollBack,
  { onEvent, fail }: Pick<CoordinatorOptions, 'onEvent'> & Pick<Coordinator, 'fail'>,
): Promise<void> {
  try {
    onEvent({ type: 'rolled-back', step: await goBack(what, effect), worker: effect.worker });
  } catch (thrown) {
    fail({ ...describeWrong(effect), stack: toError(thrown).message });
  }
}

function stop(run: Run, snapshots: Snapshots): void {
  if (run.engine.status().phase === 'running') snapshots.take();
  run.dispatch({ type: 'operator-asked', request: 'stop' });
}

/** Who has just come, and has not been told anything yet, hears by the code whether to come again. */
async function close(server: Server, channels: ChannelServer, { isFinal }: Ending): Promise<void> {
  const { code, sentence } = isFinal ? closeCodes.runEnded : closeCodes.stopping;
  await channels.close(code, sentence);
  await closeServer(server);
}

interface Opened {
  readonly server: Server;
  readonly port: number;
  readonly directory: RunDirectory;
  readonly storage: RunStorage;
  /** Ends the time in which everybody is told to ask again. */
  admit(): void;
}

/** Listens and opens the run's files. The address comes first: a run that cannot listen leaves no folder behind. */
async function open(
  options: CoordinatorOptions & { readonly token: string },
  { manifests }: BlobStore,
  onProblem: (error: Error) => void,
): Promise<Opened> {
  const { recipe, recipeHash, host, token, settings, resume = false } = options;
  const server = await listen(options);
  server.on('error', onProblem);
  const { port } = server.address() as AddressInfo;
  const admit = refuseEverything(server, {
    status: 503,
    code: 'STARTING',
    message: 'The coordinator is about to start.',
  });
  try {
    const directory = await options.createDirectory();
    const claim = { recipeHash, host, port, token, settings };
    const files = { directory: directory.path, recipe, data: manifests, claim, resume, onProblem };
    return { server, port, directory, storage: await openStorage(files), admit };
  } catch (error) {
    await closeServer(server);
    throw error;
  }
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

interface Served extends StatusSource {
  readonly access: Access;
  readonly blobs: BlobStore;
  readonly limits: MessageLimits;
  readonly bounds: Partial<ChannelServerLimits> | undefined;
  readonly admit: () => void;
}

// Workers compute on threads of their own, so the one that answers pings is never busy for long.
const heartbeat = { intervalMs: 2_500, silenceMs: 15_000 };

/** Answers HTTP requests and WebSocket upgrades on a server that is already listening. */
function serve(server: Server, { access, blobs, limits, bounds, admit, ...source }: Served): ChannelServer {
  const { run, sessions } = source;
  const drain = (worker: WorkerId): void =>
    run.dispatch({ type: 'operator-asked', request: 'drain', worker });
  const drainage = { workers: sessions.byId, drain };
  admit();
  server.on('request', createHttpHandler({ access, blobs, status: () => readStatus(source), drainage }));
  const { maxFrameBytes, maxBufferedBytes } = limits;
  return createChannelServer({
    server,
    access,
    maxFrameBytes,
    onChannel: (channel) => void sessions.serve(channel),
    limits: { maxBufferedBytes, ...heartbeat, ...bounds },
  });
}
