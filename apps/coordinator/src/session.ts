import type { WorkerId } from '@gradwire/engine';
import { GradwireError } from '@gradwire/errors';
import type { HelloMessage, WorkerMessage } from '@gradwire/protocol';
import type { Channel } from '@gradwire/transport';
import type { FailureReport } from './events.ts';
import type { RunEvent } from './run.ts';

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

/** Checks the first message: a hello and, if it names a recipe, of ours. Decoding has checked the protocol version. */
export function acceptHello(message: WorkerMessage, recipeHash: string): HelloMessage {
  if (message.type !== 'hello') {
    throw new GradwireError('MESSAGE_INVALID', `expected hello as the first message, found ${message.type}`);
  }
  if (message.recipeHash !== undefined && message.recipeHash !== recipeHash) {
    throw new GradwireError(
      'RECIPE_MISMATCH',
      `the worker's recipe has hash ${message.recipeHash.slice(0, 12)}, the coordinator's ${recipeHash.slice(0, 12)}: use the same file on both sides`,
    );
  }
  return message;
}

/**
 * Notes what a message says of its session, and translates it for the engine; undefined if the engine need not know.
 * Throws MESSAGE_INVALID for a second hello or a second ready,
 * or for a partial that answers another coordinator's lease.
 */
export function receiveMessage(session: Session, message: WorkerMessage, term: number): RunEvent | undefined {
  const worker = session.id;
  switch (message.type) {
    case 'hello':
      throw new GradwireError('MESSAGE_INVALID', 'a second hello on one connection');
    case 'ready':
      if (session.numericsClass !== undefined)
        throw new GradwireError('MESSAGE_INVALID', 'a second ready on one connection');
      session.numericsClass = message.numericsClass;
      return { type: 'worker-ready', worker, numericsClass: message.numericsClass };
    case 'prepared':
      return { type: 'worker-prepared', worker, shards: message.shards };
    case 'partial':
      if (message.term !== term) {
        const found = `a partial of term ${message.term}, this coordinator has term ${term}`;
        throw new GradwireError('MESSAGE_INVALID', found);
      }
      return {
        type: 'partial-arrived',
        worker,
        partial: { ...message, isCoded: message.codec !== undefined },
      };
    case 'leave':
      session.farewell = { why: 'leave', reason: message.reason };
      return undefined;
    case 'failed': {
      const { message: text, round, leaf } = message;
      session.farewell = { why: 'failed', reason: text };
      const place = { ...(round === undefined ? {} : { round }), ...(leaf === undefined ? {} : { leaf }) };
      return { type: 'worker-failed', worker, message: text, ...place };
    }
    default:
      return message satisfies never;
  }
}

/** What a worker said of its own failure. */
export function failureOf({ id }: Session, message: WorkerMessage): FailureReport | undefined {
  if (message.type !== 'failed') return undefined;
  const { code, message: text, stack, log } = message;
  return { worker: id, code, message: text, stack, log };
}
