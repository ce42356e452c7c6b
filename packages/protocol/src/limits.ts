import type { VectorPart } from './codecs/keep-exact.ts';
import type { CodecName } from './codecs/vector-codec.ts';
import type { CoordinatorMessage, Message, WorkerMessage } from './messages.ts';

/** Most parameters of a model: weights of 1 GiB. WebSocket libraries count message bytes in 32 bits. */
export const maxParameters: number = 2 ** 28;

/** Bounds of single values, in the units of the schema: elements of a list, UTF-16 units of a text. */
export const bounds = {
  /** Leaves of a lease, shards of `prepare` and `prepared`. */
  leaves: 65_536,
  /** Channels of the feature statistics. */
  channels: 4_096,
  /** Compute threads of one worker. */
  threads: 4_096,
  name: 100,
  recipe: 262_144,
  text: 2_000,
  stack: 16_384,
  logLines: 100,
} as const;

/** Types of message that a worker sends. */
export const workerMessageTypes: readonly WorkerMessage['type'][] = [
  'hello',
  'ready',
  'prepared',
  'partial',
  'failed',
  'leave',
];

/** Types of message that a coordinator sends. */
export const coordinatorMessageTypes: readonly CoordinatorMessage['type'][] = [
  'welcome',
  'prepare',
  'weights',
  'lease',
  'end',
];

/** What a receiver accepts. Build it with {@link messageLimits}. */
export interface MessageLimits {
  /** Types that the sender may send at all. */
  readonly types: readonly Message['type'][];
  /** Bytes of a whole frame. */
  readonly maxFrameBytes: number;
  /** Bytes of the msgpack header. */
  readonly maxHeaderBytes: number;
  /** Maps and arrays inside each other in the header. */
  readonly maxDepth: number;
  /** Values in the header, all levels together. */
  readonly maxItems: number;
  /** Elements of a gradient or weight vector: exactly this many if known, else at most {@link maxParameters}. */
  readonly parameters: number | undefined;
  /** How a partial's gradient may be written. */
  readonly gradientCodecs: readonly CodecName[];
  /** What of a gradient is float32 in every codec. */
  readonly exactParts: readonly VectorPart[];
  /** Elements of a partial's metrics. */
  readonly maxMetrics: number;
  /** Bytes that may wait to be sent to the other side before it counts as too slow. */
  readonly maxBufferedBytes: number;
}

/** What the limits depend on. */
export interface MessageLimitsOptions {
  /** Elements of the model's weight vector, if known yet: from 1 to {@link maxParameters}. */
  readonly parameters?: number;
  /** Who sends the messages that are to be decoded. Default: both kinds are accepted. */
  readonly role?: 'worker' | 'coordinator';
  /** Rows of the confusion matrix, from 1 to 256 (the default). */
  readonly classes?: number;
  /** The codec of gradients that was agreed on, besides float32. Default: none. */
  readonly gradientCodec?: CodecName;
  /** What of a gradient is float32 in that codec too, ascending: statistics are no gradients. Default: nothing. */
  readonly exactParts?: readonly VectorPart[];
}

const mebibyte = 2 ** 20;

/**
 * Derives from the model's size what a receiver accepts.
 *
 * @throws RangeError if `parameters` or `classes` is out of range.
 * @example
 * const limits = messageLimits({ parameters: 225_034, role: 'worker' });
 * limits.maxFrameBytes; // a gradient, the metrics, and a header of at most 1 MiB
 */
export function messageLimits(options: MessageLimitsOptions = {}): MessageLimits {
  const { parameters, role, classes = 256, gradientCodec = 'float32', exactParts = [] } = options;
  requireInteger('parameters', parameters ?? 1, maxParameters);
  requireInteger('classes', classes, 256);
  const maxHeaderBytes = mebibyte;
  const maxMetrics = 2 + classes * classes;
  const vectorBytes = 4 * (parameters ?? maxParameters);
  const maxFrameBytes = 8 + maxHeaderBytes + 8 * maxMetrics + vectorBytes;
  return {
    types: acceptedTypes(role),
    maxFrameBytes,
    maxHeaderBytes,
    maxDepth: 8,
    maxItems: 80_000,
    parameters,
    gradientCodecs: gradientCodec === 'float32' ? ['float32'] : ['float32', gradientCodec],
    exactParts,
    maxMetrics,
    maxBufferedBytes: Math.max(16 * mebibyte, 2 * maxFrameBytes),
  };
}

function acceptedTypes(role: MessageLimitsOptions['role']): readonly Message['type'][] {
  if (role === 'worker') return workerMessageTypes;
  if (role === 'coordinator') return coordinatorMessageTypes;
  return [...workerMessageTypes, ...coordinatorMessageTypes];
}

function requireInteger(name: string, value: number, max: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= max) return;
  throw new RangeError(`${name}: expected an integer from 1 to ${max}, found ${value}`);
}
