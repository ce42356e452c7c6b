import { GradwireError } from '@gradwire/errors';
import * as fc from 'fast-check';
import { pack } from 'msgpackr';
import { expect, test } from 'vitest';
import {
  decodeMessage,
  encodeMessage,
  type Message,
  type MessageLimits,
  codecOf,
  messageLimits,
  protocolVersion,
  vectorCodecs,
} from './index.ts';

const limits = messageLimits({ parameters: 3, classes: 2 });
const who = { software: '0.1.0', name: 'w', backend: 'wasm', threads: 1 } as const;
const hello = { type: 'hello', protocol: protocolVersion, ...who } as const;
const partialFields = {
  type: 'partial',
  term: 1,
  round: 3,
  lo: 0,
  hi: 2,
  samples: 32,
  computeMs: 1.5,
} as const;
const tensors = [
  { name: 'metrics', dtype: 'float64', count: 2 },
  { name: 'gradient', dtype: 'float32', count: 3 },
];
const partial = encodeMessage({
  ...partialFields,
  gradient: Float32Array.of(1, -0, Number.NaN),
  metrics: Float64Array.of(2.5, 7),
});

function createFrame(header: Uint8Array, payloadBytes = 0): Uint8Array {
  const start = Math.ceil((4 + header.length) / 8) * 8;
  const frame = new Uint8Array(start + payloadBytes);
  new DataView(frame.buffer).setUint32(0, header.length, true);
  frame.set(header, 4);
  return frame;
}

function decodeError(frame: Uint8Array, expected: MessageLimits = limits): GradwireError {
  try {
    decodeMessage(frame, expected);
  } catch (error) {
    if (error instanceof GradwireError) return error;
    throw error;
  }
  throw new Error('expected an error, the frame was decoded');
}

test('the frames of these tests are valid until they are spoilt', () => {
  expect(decodeMessage(partial, limits).type).toBe('partial');
  expect(decodeMessage(createFrame(pack({ ...partialFields, tensors }), 28), limits).type).toBe('partial');
  expect(decodeMessage(createFrame(pack(hello)), limits)).toEqual(hello);
});

test('a frame cut at any byte is refused', () => {
  const frames = [partial, encodeMessage({ type: 'prepare', shards: [1, 2, 300] }), encodeMessage(hello)];
  for (const frame of frames) {
    for (let length = 0; length < frame.length; length++) {
      expect(decodeError(frame.subarray(0, length)).code).toBe('MESSAGE_INVALID');
    }
  }
});

test('a frame with bytes after its end is refused', () => {
  for (const more of [1, 4, 7, 8, 100]) {
    const frame = new Uint8Array(partial.length + more);
    frame.set(partial);
    expect(decodeError(frame).message).toContain(`announces 28 payload bytes, found ${28 + more}`);
  }
});

test('random bytes, and valid frames with random changes, give a message or a GradwireError', () => {
  const change = fc.tuple(fc.nat({ max: partial.length - 1 }), fc.nat({ max: 255 }));
  const spoilt = fc.array(change, { minLength: 1, maxLength: 8 }).map((changes) => {
    const frame = partial.slice();
    for (const [at, value] of changes) frame[at] = value;
    return frame;
  });
  const random = fc.uint8Array({ maxLength: 300 });
  const withLength = random.map((bytes) => createFrame(bytes));
  fc.assert(
    fc.property(fc.oneof(random, withLength, spoilt), (frame) => {
      try {
        decodeMessage(frame, limits);
      } catch (error) {
        expect(error).toBeInstanceOf(GradwireError);
        expect((error as GradwireError).message).not.toMatch(/\p{Cc}/u);
      }
    }),
    { seed: 3, numRuns: 20_000 },
  );
});

test('nested arrays that claim 20 million items cost nothing', () => {
  const claim = [0xdd, 0x01, 0x31, 0x2d, 0x00];
  for (const depth of [1, 10, 40]) {
    const bomb = Uint8Array.from([0x81, 0xa1, 0x61, ...Array.from({ length: depth }, () => claim).flat()]);
    const before = process.memoryUsage().rss;
    expect(decodeError(createFrame(bomb)).message).toMatch(/announces 20000000 values/);
    expect(process.memoryUsage().rss - before).toBeLessThan(50e6);
  }
});

test.each<[string, Uint8Array | number[], RegExp]>([
  ['no header', [], /ends in the middle/],
  ['an array as the header', [0x91, 0x01], /not a map/],
  ['a text as the header', [0xa1, 0x61], /not a map/],
  [
    'nesting that is too deep',
    [0x81, 0xa1, 0x61, ...Array<number>(8).fill(0x91), 0x01],
    /nested deeper than 8/,
  ],
  ['too many values', pack({ a: Array<number>(80_001).fill(1) }), /more than 80000 values/],
  ['two values', [0x80, 0x80], /1 bytes after its end/],
  ['a key that is a number', [0x81, 0x01, 0x01], /key that is not a text/],
  ['a key that is a map', [0x81, 0x80, 0x01], /key that is not a text/],
  ['nil', [0x81, 0xa1, 0x61, 0xc0], /refused msgpack type 0xc0/],
  ['the reserved type', [0x81, 0xa1, 0x61, 0xc1], /refused msgpack type 0xc1/],
  ['binary', [0x81, 0xa1, 0x61, 0xc4, 0x01, 0x01], /refused msgpack type 0xc4/],
  ['an extension', [0x81, 0xa1, 0x61, 0xd4, 0x72, 0x40], /refused msgpack type 0xd4/],
  [
    'an extension of claimed length',
    [0x81, 0xa1, 0x61, 0xc9, 0xff, 0xff, 0xff, 0xff, 1],
    /msgpack type 0xc9/,
  ],
  [
    'a text longer than the header',
    [0x81, 0xdb, 0xff, 0xff, 0xff, 0xff, 0x61],
    /needs 4294967300 bytes, 6 are left/,
  ],
  ['a length field that is cut', [0x81, 0xa1, 0x61, 0xdb, 0xff], /needs/],
  ['a map that claims 4 billion entries', [0xdf, 0xff, 0xff, 0xff, 0xff], /announces 8589934590 values/],
])('the scan refuses %s', (_, header, expected) => {
  expect(decodeError(createFrame(Uint8Array.from(header))).message).toMatch(expected);
});

test.each<[string, unknown, RegExp]>([
  ['an unknown type', { type: 'launch' }, /found "launch"/],
  ['no type', { reason: 'x' }, /found undefined/],
  ['a type that is no text', { type: ['hello'] }, /found \["hello"\]/],
  ['a key of the prototype', { ...hello, ['__proto__']: { name: 'x' } }, /__proto_/],
  ['an unknown key', { ...hello, more: 1 }, /more/],
  ['a missing key', { type: 'leave' }, /reason/],
  ['an unknown backend', { ...hello, backend: 'abacus' }, /backend/],
  ['no threads', { ...hello, threads: 0 }, /threads/],
  ['a name of 101 characters', { ...hello, name: 'n'.repeat(101) }, /name/],
  ['a name that moves the cursor', { ...hello, name: 'a\u001b[2Jb' }, /control characters/],
  ['a name of two lines', { ...hello, name: 'a\nb' }, /one line/],
  ['a hash that is none', { ...hello, recipeHash: 'A'.repeat(64) }, /recipeHash/],
  ['a negative number', { type: 'prepare', shards: [-1] }, /shards.0/],
  ['an infinite number', { ...partialFields, computeMs: Infinity, tensors }, /computeMs/],
  ['an integer of 64 bits', { type: 'prepare', shards: [2n ** 60n] }, /shards.0/],
  ['repeated shards', { type: 'prepare', shards: [1, 1] }, /ascending/],
  ['an empty range', { ...partialFields, hi: 0, tensors }, /lo below hi/],
  ['tensors where none belong', { ...hello, tensors: [] }, /tensors/],
  ['no tensors', { ...partialFields }, /tensors/],
  ['tensors in another order', { ...partialFields, tensors: tensors.toReversed() }, /tensors/],
  [
    'a tensor of another type',
    { ...partialFields, tensors: [tensors[0], { ...tensors[1], dtype: 'float64' }] },
    /dtype/,
  ],
  ['one tensor too many', { ...partialFields, tensors: [...tensors, tensors[0]] }, /tensors/],
  [
    'a tensor of negative size',
    { ...partialFields, tensors: [tensors[0], { ...tensors[1], count: -3 }] },
    /count/,
  ],
  [
    'a gradient of another model',
    { ...partialFields, tensors: [tensors[0], { ...tensors[1], count: 4 }] },
    /expected 3 elements, found 4/,
  ],
  [
    'too many metrics',
    { ...partialFields, tensors: [{ ...tensors[0], count: 7 }, tensors[1]] },
    /at most 6 elements/,
  ],
])('the header schema refuses %s', (_, header, expected) => {
  const error = decodeError(createFrame(pack(header), 28));
  expect(error.code).toBe('MESSAGE_INVALID');
  expect(error.message).toMatch(expected);
});

const lease = {
  type: 'lease',
  term: 1,
  round: 1,
  task: 'step',
  version: 1,
  step: 0,
  epoch: 0,
  leaves: [0, 3],
  leafCount: 4,
} as const;
test.each<[string, object, RegExp]>([
  ['a split in training', { split: 'test' }, /split/],
  ['an evaluation without a split', { task: 'evaluate' }, /split/],
  ['a leaf outside', { leafCount: 3 }, /leaves below leafCount/],
  ['no leaves', { leaves: [] }, /leaves/],
  ['an exact coding', { coding: { codec: 'float32', shards: 1 } }, /coding.codec/],
  ['coding of three shards', { coding: { codec: 'int8', shards: 3 } }, /power of two/],
  ['a share that has no use', { coding: { codec: 'int8', shards: 1, share: 0.1 } }, /share/],
  ['no share', { coding: { codec: 'top-k', shards: 1 } }, /share/],
  ['a share of all', { coding: { codec: 'top-k', shards: 1, share: 1 } }, /share/],
  [
    'coding of an evaluation',
    { task: 'evaluate', split: 'test', coding: { codec: 'int8', shards: 1 } },
    /no coding of an evaluation/,
  ],
  ['feedback of nothing', { feedback: { since: 0, isLast: true } }, /no feedback without a coding/],
  [
    'feedback since later',
    { coding: { codec: 'int8', shards: 1 }, feedback: { since: lease.version + 1, isLast: true } },
    /feedback since this version/,
  ],
])('a lease with %s is refused', (_, change, expected) => {
  expect(decodeMessage(createFrame(pack(lease)), limits)).toEqual(lease);
  expect(decodeError(createFrame(pack({ ...lease, ...change }))).message).toMatch(expected);
});

test('a gradient in a codec that was not agreed on is refused', () => {
  const gradient = Float32Array.of(1, 2, 3);
  const message = { ...partialFields, gradient, metrics: new Float64Array(2), codec: vectorCodecs.int8 };
  const frame = encodeMessage(message);
  expect(decodeError(frame).message).toMatch(/expected float32, found int8/);
  const other = messageLimits({ parameters: 3, gradientCodec: 'bfloat16' });
  expect(decodeError(frame, other).message).toMatch(/expected float32 or bfloat16, found int8/);
  const agreed = messageLimits({ parameters: 3, gradientCodec: 'int8' });
  expect(decodeMessage(frame, agreed).type).toBe('partial');
});

test('a coded gradient of the wrong size or structure is refused', () => {
  const gradient = Float32Array.of(1, 2, 3);
  const agreed = messageLimits({ parameters: 3, gradientCodec: 'top-k' });
  const message = { ...partialFields, gradient, metrics: new Float64Array(2), codec: vectorCodecs['top-k'] };
  const frame = encodeMessage(message);
  expect(decodeError(frame.subarray(0, -1), agreed).code).toBe('MESSAGE_INVALID');
  expect(decodeError(Uint8Array.of(...frame, 0), agreed).message).toMatch(/bytes after the last gap/);
  const outside = frame.slice();
  outside[outside.length - 1] = 3;
  expect(decodeError(outside, agreed).message).toMatch(/element 3 of 3/);
  expect(decodeError(new Uint8Array([...frame, ...new Uint8Array(100)]), agreed).message).toMatch(
    /announces 20 to \d+ payload bytes/,
  );
});

test('a coded gradient without its exact parts is refused', () => {
  const gradient = Float32Array.of(1, 2, 3);
  const exactParts = [{ offset: 1, size: 2 }];
  const agreed = messageLimits({ parameters: 3, gradientCodec: 'int8', exactParts });
  const codec = codecOf({ codec: 'int8' }, exactParts);
  const message = { ...partialFields, gradient, metrics: new Float64Array(2), codec };
  expect(decodeMessage(encodeMessage(message), agreed).type).toBe('partial');
  expect(decodeError(encodeMessage({ ...message, codec: vectorCodecs.int8 }), agreed).message).toMatch(
    /announces 29 payload bytes, found 23/,
  );
});

test('padding must be zero', () => {
  const frame = createFrame(pack({ type: 'leave', reason: 'abcd' }));
  expect(frame.length - 4 - (frame[0] ?? 0)).toBeGreaterThan(0);
  frame[frame.length - 1] = 1;
  expect(decodeError(frame).message).toMatch(/padding byte \d+ is not 0/);
});

test('sizes are checked before anything else', () => {
  expect(decodeError(new Uint8Array(limits.maxFrameBytes + 1)).message).toMatch(/at most/);
  const frame = createFrame(new Uint8Array(8));
  new DataView(frame.buffer).setUint32(0, limits.maxHeaderBytes + 1, true);
  expect(decodeError(frame).message).toMatch(/a header of \d+ bytes, at most/);
});

test('each side accepts what the other one sends, and nothing else', () => {
  const frames: Message[] = [hello, { type: 'end', outcome: 'finished', message: '' }];
  const [fromWorker, fromCoordinator] = frames.map(encodeMessage) as [Uint8Array, Uint8Array];
  const [worker, coordinator] = [messageLimits({ role: 'worker' }), messageLimits({ role: 'coordinator' })];
  expect(decodeMessage(fromWorker, worker).type).toBe('hello');
  expect(decodeMessage(fromCoordinator, coordinator).type).toBe('end');
  expect(decodeError(fromWorker, coordinator).message).toMatch(/found "hello"/);
  expect(decodeError(fromCoordinator, worker).message).toMatch(/found "end"/);
});

test('another protocol version is told apart from nonsense, whatever else has changed', () => {
  const error = decodeError(createFrame(pack({ ...hello, protocol: 99, added: { later: true } })));
  expect(error.code).toBe('VERSION_MISMATCH');
  expect(error.message).toContain(
    `the worker speaks protocol version 99, the coordinator version ${protocolVersion}`,
  );
  expect(decodeError(createFrame(pack({ ...hello, protocol: 'one' }))).code).toBe('MESSAGE_INVALID');
});

test('before the model is known, weights of any size are accepted', () => {
  const frame = encodeMessage({ type: 'weights', version: 0, values: new Float32Array(1_000) });
  expect(decodeMessage(frame, messageLimits({ role: 'coordinator' })).type).toBe('weights');
  expect(decodeError(frame, messageLimits({ parameters: 999 })).message).toMatch(
    /expected 999 elements, found 1000/,
  );
});
