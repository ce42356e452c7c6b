import type { WorkerId } from '@gradwire/engine';
import { GradwireError, toError } from '@gradwire/errors';
import {
  type CloseCodeName,
  closeCodes,
  decodeMessage,
  describeCloseCode,
  type EndMessage,
  encodeMessage,
  type HelloMessage,
  type MessageLimits,
  protocolVersion,
  type WelcomeMessage,
  type WorkerMessage,
} from '@gradwire/protocol';
import type { Channel, ChannelClosed } from '@gradwire/transport';
import type { CoordinatorEvent, FailureReport } from './events.ts';
import type { RunEvent } from './run.ts';
import { acceptHello, failureOf, receiveMessage, type Session } from './session.ts';
import { uniqueName } from './unique-name.ts';

/** The connection broke without a word (RFC 6455, section 7.4.1). */
const brokenCode = 1006;

/** What sessions need from the run. */
export interface SessionsOptions {
  readonly welcome: Omit<WelcomeMessage, 'worker' | 'type' | 'protocol'>;
  readonly limits: MessageLimits;
  /** Whether workers of another numerics class than the first one's are refused. */
  readonly exact: boolean;
  readonly onEvent: (event: CoordinatorEvent) => void;
  /** What the engine must know. */
  readonly onReceive: (event: RunEvent) => void;
  readonly onFailure: (failure: FailureReport) => void;
  /** An exception that no message can explain: a defect of ours. */
  readonly onDefect: (error: Error) => void;
  /** The backends of numerics classes that contributed before, in a run that goes on. */
  readonly backendsBefore?: Readonly<Record<string, string>>;
}

/** The workers connected now. */
export interface Sessions {
  readonly byId: ReadonlyMap<WorkerId, Session>;
  /** The backend behind each numerics class of which somebody is here, or has ever answered a lease. */
  readonly backends: ReadonlyMap<string, string>;
  /** Serves one connection until it ends. Never rejects. */
  serve(channel: Channel): Promise<void>;
  /** Closes a worker's channel with a documented code. */
  expel(id: WorkerId, code: CloseCodeName, reason: string): void;
  /**
   * Tells a worker to leave; it closes its channel itself, after what was sent to it before.
   */
  release(id: WorkerId, reason: string): void;
  /** Tells all workers how the run ended, and closes their channels. */
  sayGoodbye(outcome: EndMessage['outcome'], message: string): void;
  /** Closes all channels for now: workers come back when the run goes on. */
  suspend(reason: string): void;
}

/** Keeps the workers of one run: admits, reads, puts out and dismisses them. */
export function createSessions(options: SessionsOptions): Sessions {
  const byId = new Map<WorkerId, Session>();
  const known = new Set<WorkerId>();
  const backends = new Map(Object.entries(options.backendsBefore ?? {}));
  const answered = new Set(backends.keys());
  const registry: Registry = { ...options, byId, known, backends, answered, dismiss: undefined };
  return {
    byId,
    backends,
    serve: (channel) => serve(registry, channel),
    expel(id, code, reason) {
      const session = byId.get(id);
      if (session === undefined) return;
      session.farewell = { why: 'expelled', reason };
      session.channel.close(closeCodes[code].code, reason);
    },
    release(id, reason) {
      const session = byId.get(id);
      if (session === undefined) return;
      session.farewell ??= { why: 'leave', reason };
      session.channel.send(encodeMessage({ type: 'end', outcome: 'released', message: reason }));
    },
    sayGoodbye(outcome, message) {
      const end: EndMessage = { type: 'end', outcome, message };
      dismissAll(registry, 'the run has ended', (channel) => {
        channel.send(encodeMessage(end));
        channel.close(closeCodes.runEnded.code, outcome);
      });
    },
    suspend(reason) {
      dismissAll(registry, reason, (channel) => channel.close(closeCodes.stopping.code, reason));
    },
  };
}

interface Registry extends SessionsOptions {
  readonly byId: Map<WorkerId, Session>;
  /** Everybody who ever joined. */
  readonly known: Set<WorkerId>;
  readonly backends: Map<string, string>;
  /** Numerics classes that have sent a partial. */
  readonly answered: Set<string>;
  /** Set once the run has ended or stopped: whoever comes later gets this instead of a welcome. */
  dismiss: ((channel: Channel) => void) | undefined;
}

function dismissAll(registry: Registry, reason: string, dismiss: (channel: Channel) => void): void {
  registry.dismiss = dismiss;
  for (const session of registry.byId.values()) {
    session.farewell ??= { why: 'ended', reason };
    dismiss(session.channel);
  }
}

async function serve(registry: Registry, channel: Channel): Promise<void> {
  let session: Session | undefined;
  try {
    for await (const frame of channel.frames) {
      const message = decodeMessage(frame, registry.limits) as WorkerMessage;
      if (session) receive(registry, session, message);
      else session = admit(registry, channel, message);
    }
  } catch (thrown) {
    refuse(registry, channel, { session, error: toError(thrown) });
  }
  const closed = await channel.closed;
  try {
    if (session) part(registry, session, closed);
  } catch (thrown) {
    registry.onDefect(toError(thrown));
  }
}

/** The session of a worker that says hello; none if the run is over. */
function admit(registry: Registry, channel: Channel, message: WorkerMessage): Session | undefined {
  const hello = acceptHello(message, registry.welcome.recipeHash);
  if (registry.dismiss === undefined) return join(registry, channel, hello);
  registry.dismiss(channel);
  return undefined;
}

function join(
  { byId, known, welcome, onEvent, onReceive }: Registry,
  channel: Channel,
  hello: HelloMessage,
): Session {
  const id = uniqueName(hello.name, (name) => byId.has(name as WorkerId)) as WorkerId;
  const session: Session = { id, backend: hello.backend, channel };
  const again = known.has(id);
  byId.set(id, session);
  known.add(id);
  onEvent({
    type: 'worker-joined',
    worker: id,
    backend: hello.backend,
    threads: hello.threads,
    peer: channel.peer,
    workers: byId.size,
    again,
  });
  channel.send(encodeMessage({ type: 'welcome', protocol: protocolVersion, worker: id, ...welcome }));
  onReceive({ type: 'worker-joined', worker: id, threads: hello.threads });
  return session;
}

function receive(registry: Registry, session: Session, message: WorkerMessage): void {
  const { onEvent, onFailure, onReceive } = registry;
  const event = receiveMessage(session, message, registry.welcome.term);
  if (event?.type === 'worker-ready' && !admitClass(registry, session, event.numericsClass)) return;
  if (message.type === 'partial') registry.answered.add(session.numericsClass ?? '');
  if (message.type === 'prepared') {
    const { shards, fetchedBytes } = message;
    onEvent({ type: 'worker-prepared', worker: session.id, shards, fetchedBytes });
  }
  const failure = failureOf(session, message);
  if (failure) onFailure(failure);
  if (event) onReceive(event);
  if (failure) session.channel.close(closeCodes.workerFailed.code, failure.message);
}

/** Notes the class of a worker that is ready. With `exact`, one of another class than the first is put out: returns false. */
function admitClass(registry: Registry, session: Session, numericsClass: string): boolean {
  const { backends, exact, onEvent } = registry;
  const { id, backend, channel } = session;
  const [other] = [...backends.keys()].filter((each) => each !== numericsClass);
  const differs = `${id} computes as ${numericsClass}, others as ${other}`;
  const advice = 'start every worker with the same --backend and version';
  if (exact && other !== undefined) {
    const reason = `other bits: ${numericsClass}, the run has ${other}; use the same --backend and version`;
    session.farewell = { why: 'expelled', reason: `--exact: ${differs}; ${advice}` };
    channel.close(closeCodes.numericsMismatch.code, reason);
    return false;
  }
  onEvent({ type: 'worker-ready', worker: id, numericsClass });
  backends.set(numericsClass, backend);
  if (other !== undefined)
    onEvent({
      type: 'inexact',
      reason: `${differs}: the weights depend on who did what; ${advice}, or refuse others with --exact`,
    });
  return true;
}

/** Ends a connection for what came over it, or reports the defect if it was ours. */
function refuse(
  { onEvent, onDefect }: Registry,
  channel: Channel,
  { session, error }: { session: Session | undefined; error: Error },
): void {
  const name = closeNameOf(error);
  if (name === 'internal') onDefect(error);
  if (session) session.farewell ??= { why: 'expelled', reason: error.message };
  else onEvent({ type: 'worker-refused', peer: channel.peer, code: name, message: error.message });
  channel.close(closeCodes[name].code, error.message);
}

function closeNameOf(error: Error): CloseCodeName {
  const code = error instanceof GradwireError ? error.code : 'INTERNAL';
  if (code === 'VERSION_MISMATCH') return 'versionMismatch';
  if (code === 'RECIPE_MISMATCH') return 'recipeMismatch';
  return code === 'MESSAGE_INVALID' ? 'invalidMessage' : 'internal';
}

function part(registry: Registry, session: Session, { code, reason }: ChannelClosed): void {
  const { byId, onEvent, onReceive } = registry;
  byId.delete(session.id);
  forgetClass(registry, session);
  const lost = { why: 'lost' as const, reason: reason || describeCloseCode(code).sentence };
  onEvent({ type: 'worker-left', worker: session.id, ...(session.farewell ?? lost), workers: byId.size });
  // A connection breaks when a process dies. Silence is rather a machine or a line that is gone, and all other codes
  // are words of a process that lives.
  const isLost = session.farewell === undefined && code === brokenCode;
  onReceive({ type: 'worker-left', worker: session.id, isLost });
}

/** A class of which nobody is here, and which has contributed nothing, makes no difference to anybody. */
function forgetClass({ byId, backends, answered }: Registry, { numericsClass = '' }: Session): void {
  const isHere = [...byId.values()].some((other) => other.numericsClass === numericsClass);
  if (!isHere && !answered.has(numericsClass)) backends.delete(numericsClass);
}
