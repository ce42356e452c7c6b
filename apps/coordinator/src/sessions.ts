import type { WorkerId } from '@gradwire/engine';
import { GradwireError, toError } from '@gradwire/errors';
import {
  type CloseCodeName,
  closeCodes,
  decodeMessage,
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

/** What sessions need from the run. */
export interface SessionsOptions {
  readonly welcome: Omit<WelcomeMessage, 'worker' | 'type' | 'protocol'>;
  readonly limits: MessageLimits;
  readonly onEvent: (event: CoordinatorEvent) => void;
  /** What the engine must know. */
  readonly onReceive: (event: RunEvent) => void;
  readonly onFailure: (failure: FailureReport) => void;
  /** An exception that no message can explain: a defect of ours. */
  readonly onDefect: (error: Error) => void;
}

/** A worker that was ready at some time. */
export interface KnownWorker {
  readonly name: string;
  readonly backend: string;
  readonly numericsClass: string;
}

/** The workers connected now. */
export interface Sessions {
  readonly byId: ReadonlyMap<WorkerId, Session>;
  /** Gone or not. */
  everReady(): KnownWorker[];
  /** Serves one connection until it ends. Never rejects. */
  serve(channel: Channel): Promise<void>;
  /** Closes a worker's channel with a documented code. */
  expel(id: WorkerId, code: CloseCodeName, reason: string): void;
  /** Tells all workers how the run ended, and closes their channels. */
  sayGoodbye(outcome: EndMessage['outcome'], message: string): void;
}

export function createSessions(options: SessionsOptions): Sessions {
  const byId = new Map<WorkerId, Session>();
  const known = new Map<WorkerId, Session>();
  return {
    byId,
    everReady: () => readyOf(known),
    serve: (channel) => serve({ ...options, byId, known }, channel),
    expel(id, code, reason) {
      const session = byId.get(id);
      if (session === undefined) return;
      session.farewell = { why: 'expelled', reason };
      session.channel.close(closeCodes[code].code, reason);
    },
    sayGoodbye(outcome, message) {
      const frame = encodeMessage({ type: 'end', outcome, message });
      for (const session of byId.values()) {
        session.farewell ??= { why: 'ended', reason: 'the run has ended' };
        session.channel.send(frame);
        session.channel.close(closeCodes.runEnded.code, outcome);
      }
    },
  };
}

interface Registry extends SessionsOptions {
  readonly byId: Map<WorkerId, Session>;
  /** By name, the latest session of every worker that ever joined. */
  readonly known: Map<WorkerId, Session>;
}

async function serve(registry: Registry, channel: Channel): Promise<void> {
  let session: Session | undefined;
  try {
    for await (const frame of channel.frames) {
      const message = decodeMessage(frame, registry.limits) as WorkerMessage;
      if (session === undefined) {
        session = join(registry, channel, acceptHello(message, registry.welcome.recipeHash));
      } else {
        receive(registry, session, message);
      }
    }
  } catch (thrown) {
    refuse(registry, channel, { session, error: toError(thrown) });
  }
  const closed = await channel.closed;
  if (session) part(registry, session, closed);
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
  known.set(id, session);
  onEvent({
    type: 'worker-joined',
    worker: id,
    backend: hello.backend,
    peer: channel.peer,
    workers: byId.size,
    again,
  });
  channel.send(encodeMessage({ type: 'welcome', protocol: protocolVersion, worker: id, ...welcome }));
  onReceive({ type: 'worker-joined', worker: id });
  return session;
}

function receive(
  { known, onEvent, onFailure, onReceive }: Registry,
  session: Session,
  message: WorkerMessage,
): void {
  const event = receiveMessage(session, message);
  const failure = failureOf(session, message);
  if (failure) onFailure(failure);
  if (event?.type === 'worker-ready') {
    const { worker, numericsClass } = event;
    onEvent({ type: 'worker-ready', worker, numericsClass });
    const reason = difference(known, session);
    if (reason !== undefined) onEvent({ type: 'inexact', reason });
  }
  if (event) onReceive(event);
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

function part(
  { byId, onEvent, onReceive }: Registry,
  session: Session,
  { code, reason }: ChannelClosed,
): void {
  byId.delete(session.id);
  const lost = { why: 'lost' as const, reason: reason || `close code ${code}` };
  onEvent({ type: 'worker-left', worker: session.id, ...(session.farewell ?? lost), workers: byId.size });
  onReceive({ type: 'worker-left', worker: session.id });
}

/** Why the result depends on who did what, if this worker computes other bits than one before. */
function difference(known: Registry['known'], { id, numericsClass }: Session): string | undefined {
  const other = [...known.values()].find((each) => (each.numericsClass ?? numericsClass) !== numericsClass);
  if (other === undefined) return undefined;
  return `${id} computes as ${numericsClass}, ${other.id} as ${other.numericsClass}: the weights depend on who did what`;
}

function readyOf(known: Registry['known']): KnownWorker[] {
  return [...known.values()].flatMap(({ id, backend, numericsClass }) =>
    numericsClass === undefined ? [] : [{ name: id, backend, numericsClass }],
  );
}
