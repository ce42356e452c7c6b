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
import { uniqueName } from './unique-name.ts';

/** A worker that has said hello. */
export interface Session {
  readonly id: WorkerId;
  readonly backend: HelloMessage['backend'];
  readonly channel: Channel;
  /** Known once it is ready. */
  numericsClass?: string;
  /** Set when the end of the channel is no surprise. */
  farewell?: { readonly why: 'ended' | 'leave' | 'failed' | 'expelled'; readonly reason: string };
}

/** What sessions need from the run. */
export interface SessionsOptions {
  readonly welcome: Omit<WelcomeMessage, 'worker' | 'type' | 'protocol'>;
  readonly limits: MessageLimits;
  readonly onEvent: (event: CoordinatorEvent) => void;
  /** What the engine must know. */
  readonly onReceive: (event: RunEvent) => void;
  readonly onFailure: (failure: FailureReport) => void;
}

/** The workers connected now. */
export interface Sessions {
  readonly byId: ReadonlyMap<WorkerId, Session>;
  /** All workers that were ready at some time, gone or not. */
  everReady(): { name: string; backend: string; numericsClass: string }[];
  /** Serves one connection until it ends. */
  serve(channel: Channel): Promise<void>;
  /** Closes a worker's channel with a documented code. */
  expel(id: WorkerId, code: CloseCodeName, reason: string): void;
  /** Tells all workers how the run ended, and closes their channels. */
  sayGoodbye(outcome: EndMessage['outcome'], message: string): void;
}

export function createSessions(options: SessionsOptions): Sessions {
  const { welcome, limits, onEvent, onReceive } = options;
  const byId = new Map<WorkerId, Session>();
  const known = new Map<WorkerId, Session>();

  const join = (channel: Channel, hello: HelloMessage): Session => {
    const id = uniqueName(hello.name, (name) => byId.has(name as WorkerId)) as WorkerId;
    const session: Session = { id, backend: hello.backend, channel };
    byId.set(id, session);
    onEvent({
      type: 'worker-joined',
      worker: id,
      backend: hello.backend,
      peer: channel.peer,
      workers: byId.size,
      again: known.has(id),
    });
    known.set(id, session);
    channel.send(encodeMessage({ type: 'welcome', protocol: protocolVersion, worker: id, ...welcome }));
    onReceive({ type: 'worker-joined', worker: id });
    return session;
  };

  const compareClasses = (session: Session, numericsClass: string): void => {
    const other = [...known.values()].find((each) => (each.numericsClass ?? numericsClass) !== numericsClass);
    if (other === undefined) return;
    const reason = `${session.id} computes as ${numericsClass}, ${other.id} as ${other.numericsClass}: the weights depend on who did what`;
    onEvent({ type: 'inexact', reason });
  };

  const receive = (session: Session, message: WorkerMessage): void => {
    const worker = session.id;
    switch (message.type) {
      case 'hello':
        throw new GradwireError('MESSAGE_INVALID', 'a second hello on one connection');
      case 'ready':
        session.numericsClass = message.numericsClass;
        compareClasses(session, message.numericsClass);
        onEvent({ type: 'worker-ready', worker, numericsClass: message.numericsClass });
        return onReceive({ type: 'worker-ready', worker, numericsClass: message.numericsClass });
      case 'prepared':
        return onReceive({ type: 'worker-prepared', worker, shards: message.shards });
      case 'partial':
        return onReceive({ type: 'partial-arrived', worker, partial: message });
      case 'leave':
        session.farewell = { why: 'leave', reason: message.reason };
        return;
      case 'failed': {
        const { code, message: text, stack, log, round, leaf } = message;
        session.farewell = { why: 'failed', reason: text };
        options.onFailure({ worker, code, message: text, stack, log });
        const place = { ...(round === undefined ? {} : { round }), ...(leaf === undefined ? {} : { leaf }) };
        return onReceive({ type: 'worker-failed', worker, message: text, ...place });
      }
      default:
        message satisfies never;
    }
  };

  const part = (session: Session, { code, reason }: ChannelClosed): void => {
    byId.delete(session.id);
    const { why, reason: said } = session.farewell ?? {
      why: 'lost' as const,
      reason: reason || `close code ${code}`,
    };
    onEvent({ type: 'worker-left', worker: session.id, why, reason: said, workers: byId.size });
    onReceive({ type: 'worker-left', worker: session.id });
  };

  return {
    byId,
    everReady: () =>
      [...known.values()].flatMap(({ id, backend, numericsClass }) =>
        numericsClass === undefined ? [] : [{ name: id, backend, numericsClass }],
      ),
    async serve(channel) {
      let session: Session | undefined;
      try {
        for await (const frame of channel.frames) {
          const message = decodeMessage(frame, limits) as WorkerMessage;
          if (session === undefined) session = join(channel, acceptHello(message, welcome.recipeHash));
          else receive(session, message);
        }
      } catch (thrown) {
        const name = closeNameOf(thrown);
        const { message } = toError(thrown);
        if (session) session.farewell ??= { why: 'expelled', reason: message };
        else onEvent({ type: 'worker-refused', peer: channel.peer, code: name, message });
        channel.close(closeCodes[name].code, message);
      }
      const closed = await channel.closed;
      if (session) part(session, closed);
    },
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

function closeNameOf(thrown: unknown): CloseCodeName {
  const code = thrown instanceof GradwireError ? thrown.code : 'INTERNAL';
  if (code === 'VERSION_MISMATCH') return 'versionMismatch';
  if (code === 'RECIPE_MISMATCH') return 'recipeMismatch';
  return code === 'MESSAGE_INVALID' ? 'invalidMessage' : 'internal';
}

/** Checks the first message: a hello of our protocol version and, if it names one, of our recipe. */
function acceptHello(message: WorkerMessage, recipeHash: string): HelloMessage {
  if (message.type !== 'hello') {
    throw new GradwireError('MESSAGE_INVALID', `expected hello as the first message, found ${message.type}`);
  }
  if (message.protocol !== protocolVersion) {
    throw new GradwireError(
      'VERSION_MISMATCH',
      `this coordinator speaks protocol ${protocolVersion}, the worker (Gradwire ${message.software}) speaks ${message.protocol}: install the same version on both`,
    );
  }
  if (message.recipeHash !== undefined && message.recipeHash !== recipeHash) {
    throw new GradwireError(
      'RECIPE_MISMATCH',
      `the worker's recipe has hash ${message.recipeHash.slice(0, 12)}, the coordinator's ${recipeHash.slice(0, 12)}: use the same file on both sides`,
    );
  }
  return message;
}
