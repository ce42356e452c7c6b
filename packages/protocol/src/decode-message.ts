import { GradwireError } from '@gradwire/errors';
import { Unpackr } from 'msgpackr';
import type { VectorCodec } from './codecs/vector-codec.ts';
import { findHeaderProblem } from './header-schemas.ts';
import { invalidMessage } from './invalid-message.ts';
import type { MessageLimits } from './limits.ts';
import type { Message } from './messages.ts';
import { scanHeader } from './scan-header.ts';
import {
  alignPayload,
  type ReadableTensor,
  readableTensor,
  readTensor,
  type TensorHeader,
  tensorSizes,
} from './tensor-fields.ts';
import { protocolVersion } from './version.ts';

const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true });

type RawHeader = Readonly<Record<string, unknown>>;

/**
 * Decodes one frame: checks the size, scans and unpacks the header, validates it, compares the announced tensors with
 * the bytes that are there. Tensors are views over `frame` where codec and alignment allow: the frame then belongs to the
 * message. `codec` tells how a vector was written, if not as float32.
 *
 * @throws GradwireError MESSAGE_INVALID if the frame breaks the protocol or exceeds the limits; VERSION_MISMATCH if a
 * `hello` or `welcome` is of another protocol version (the rest of it is then not looked at).
 */
export function decodeMessage(frame: Uint8Array, limits: MessageLimits): Message {
  const { headerBytes, payloadStart } = splitFrame(frame, limits);
  scanHeader(headerBytes, limits);
  const header = unpackHeader(headerBytes);
  const type = readType(header, limits);
  checkVersion(header, type);
  const problem = findHeaderProblem(header, type);
  if (problem !== undefined) throw invalidMessage(`${type}: ${problem}`);
  const announced = (header['tensors'] ?? []) as readonly TensorHeader[];
  checkTensors(announced, type, limits);
  const tensors = announced.map((tensor) => readableTensor(tensor, limits));
  checkPayload(tensors, frame.length - payloadStart, type);
  const { tensors: _, ...fields } = header;
  // The schema of this type has just been checked, and the tensors complete it.
  return { ...fields, ...readTensors(frame.subarray(payloadStart), tensors) } as unknown as Message;
}

function splitFrame(
  frame: Uint8Array,
  limits: MessageLimits,
): { headerBytes: Uint8Array; payloadStart: number } {
  const { length } = frame;
  if (length > limits.maxFrameBytes) {
    throw invalidMessage(`a frame of ${length} bytes, at most ${limits.maxFrameBytes} are allowed`);
  }
  if (length < 4) throw invalidMessage(`a frame of ${length} bytes, shorter than its length field`);
  const headerLength = new DataView(frame.buffer, frame.byteOffset, 4).getUint32(0, true);
  if (headerLength > limits.maxHeaderBytes) {
    throw invalidMessage(`a header of ${headerLength} bytes, at most ${limits.maxHeaderBytes} are allowed`);
  }
  const headerEnd = 4 + headerLength;
  const payloadStart = alignPayload(headerEnd);
  if (payloadStart > length) {
    throw invalidMessage(`a header that ends at byte ${payloadStart} of a frame of ${length} bytes`);
  }
  for (let at = headerEnd; at < payloadStart; at++) {
    if (frame[at] !== 0) throw invalidMessage(`padding byte ${at} is not 0`);
  }
  return { headerBytes: frame.subarray(4, headerEnd), payloadStart };
}

function unpackHeader(bytes: Uint8Array): RawHeader {
  try {
    return unpackr.unpack(bytes) as RawHeader;
  } catch (cause) {
    throw invalidMessage('the header cannot be unpacked', cause);
  }
}

function readType(header: RawHeader, { types }: MessageLimits): Message['type'] {
  const type = types.find((known) => known === header['type']);
  if (type !== undefined) return type;
  throw invalidMessage(
    `expected a message of type ${types.join(', ')}, found ${JSON.stringify(header['type'])}`,
  );
}

function checkVersion({ protocol }: RawHeader, type: Message['type']): void {
  if ((type !== 'hello' && type !== 'welcome') || typeof protocol !== 'number') return;
  if (protocol === protocolVersion) return;
  // Both sides read this sentence, so it says who is who.
  const [sender, receiver] = type === 'hello' ? ['worker', 'coordinator'] : ['coordinator', 'worker'];
  throw new GradwireError(
    'VERSION_MISMATCH',
    `the ${sender} speaks protocol version ${protocol}, the ${receiver} version ${protocolVersion}`,
    { hint: 'Install the same version of Gradwire on every machine.' },
  );
}

/** Vectors must have the model's size, if it is known, and metrics must not exceed a confusion matrix. */
function checkTensors(
  announced: readonly TensorHeader[],
  type: Message['type'],
  limits: MessageLimits,
): void {
  for (const { name, dtype, count } of announced) {
    if (name === 'metrics') {
      if (count <= limits.maxMetrics) continue;
      throw invalidMessage(`${type}.metrics: at most ${limits.maxMetrics} elements, found ${count}`);
    }
    if (dtype !== 'float64' && name === 'gradient' && !limits.gradientCodecs.includes(dtype)) {
      throw invalidMessage(
        `${type}.gradient: expected ${limits.gradientCodecs.join(' or ')}, found ${dtype}`,
      );
    }
    const isEmptyGradient = name === 'gradient' && count === 0;
    if (isEmptyGradient || limits.parameters === undefined || count === limits.parameters) continue;
    throw invalidMessage(`${type}.${name}: expected ${limits.parameters} elements, found ${count}`);
  }
}

function checkPayload(tensors: readonly ReadableTensor[], found: number, type: Message['type']): void {
  const sizes = tensors.map(tensorSizes);
  const min = sizes.reduce((sum, size) => sum + size.min, 0);
  const max = sizes.reduce((sum, size) => sum + size.max, 0);
  if (found >= min && found <= max) return;
  const expected = min === max ? min : `${min} to ${max}`;
  throw invalidMessage(`${type}: the header announces ${expected} payload bytes, found ${found}`);
}

/** Only the last tensor of a message may have a size that depends on its values: it takes the rest. */
function readTensors(
  payload: Uint8Array,
  tensors: readonly ReadableTensor[],
): Record<string, Float32Array | Float64Array | VectorCodec> {
  const read: Record<string, Float32Array | Float64Array | VectorCodec> = {};
  let start = 0;
  for (const [index, tensor] of tensors.entries()) {
    const end = index === tensors.length - 1 ? payload.length : start + tensorSizes(tensor).max;
    read[tensor.name] = readTensor(payload.subarray(start, end), tensor);
    const { codec } = tensor;
    if (codec && !codec.isExact) read['codec'] = codec;
    start = end;
  }
  return read;
}
