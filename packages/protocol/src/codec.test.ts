import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type CodecName,
  codecOf,
  decodeMessage,
  encodeMessage,
  encodePieces,
  type Message,
  messageLimits,
  protocolVersion,
  vectorCodecs,
} from './index.ts';

const limits = messageLimits();
const uint32 = fc.nat({ max: 2 ** 32 - 1 });
const hash = fc.stringMatching(/^[0-9a-f]{64}$/);
const name = fc.stringMatching(/^[a-zA-Z0-9 äß漢🙂._-]{1,50}$/u);
const text = fc
  .string({ unit: 'grapheme', maxLength: 100 })
  .filter((value) => !/\p{Cc}/u.test(value.replace(/[\n\t]/g, '')));
const indices = fc
  .uniqueArray(fc.nat({ max: 99_999 }), { minLength: 1, maxLength: 50 })
  .map((list) => list.toSorted((a, b) => a - b));
const positive = fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }).map(Math.abs);
/** Any bits at all: NaN payloads, denormals, both zeros. */
const float32s = fc
  .uint8Array({ maxLength: 200 })
  .map((bytes) => new Float32Array(bytes.slice(bytes.length % 4).buffer));
const float64s = fc
  .uint8Array({ maxLength: 200 })
  .map((bytes) => new Float64Array(bytes.slice(bytes.length % 8).buffer));

const lease = fc
  .record({ term: uint32, round: uint32, version: uint32, step: uint32, epoch: uint32, leaves: indices })
  .map((fields) => ({ type: 'lease' as const, ...fields, leafCount: (fields.leaves.at(-1) ?? 0) + 1 }));

const anyMessage: fc.Arbitrary<Message> = fc.oneof(
  fc.record(
    {
      type: fc.constant('hello' as const),
      protocol: fc.constant(protocolVersion),
      software: name,
      name,
      backend: fc.constantFrom('wasm' as const, 'native' as const, 'browser' as const),
      threads: fc.integer({ min: 1, max: 4096 }),
      recipeHash: hash,
    },
    { requiredKeys: ['type', 'protocol', 'software', 'name', 'backend', 'threads'] },
  ),
  fc.record({
    type: fc.constant('welcome' as const),
    protocol: fc.constant(protocolVersion),
    run: name,
    runId: name,
    term: uint32,
    worker: name,
    recipe: fc.json(),
    recipeHash: hash,
    manifests: fc.record({ train: hash, test: hash }),
    statistics: fc
      .array(
        positive.filter((value) => value > 0),
        { maxLength: 5 },
      )
      .map((values) => ({ mean: values.map((value) => -value), deviation: values })),
  }),
  fc.record({ type: fc.constant('ready' as const), numericsClass: name }),
  fc.record({ type: fc.constant('prepare' as const), shards: indices }),
  fc.record({ type: fc.constant('prepared' as const), shards: indices, fetchedBytes: uint32 }),
  fc.record({ type: fc.constant('weights' as const), version: uint32, values: float32s }),
  lease.map((fields) => ({ ...fields, task: 'step' as const })),
  lease.map((fields) => ({
    ...fields,
    task: 'step' as const,
    coding: { codec: 'top-k' as const, shards: 4, share: 0.01 },
  })),
  lease.map((fields) => ({
    ...fields,
    task: 'step' as const,
    coding: { codec: 'top-k' as const, shards: 4, share: 0.01 },
    feedback: { since: Math.floor(fields.version / 2), isLast: false, isReplay: true as const },
  })),
  lease.map((fields) => ({ ...fields, task: 'evaluate' as const, split: 'validation' as const })),
  fc.record({
    type: fc.constant('partial' as const),
    term: uint32,
    round: uint32,
    lo: fc.constant(3),
    hi: fc.integer({ min: 4, max: 99 }),
    samples: uint32,
    computeMs: positive,
    gradient: float32s,
    metrics: float64s,
  }),
  fc.record(
    {
      type: fc.constant('failed' as const),
      code: name,
      message: text,
      stack: text,
      log: fc.array(text),
      round: uint32,
      leaf: uint32,
    },
    { requiredKeys: ['type', 'code', 'message', 'stack', 'log'] },
  ),
  fc.record({ type: fc.constant('leave' as const), reason: text }),
  fc.record({
    type: fc.constant('end' as const),
    outcome: fc.constantFrom('finished' as const, 'stopped' as const, 'failed' as const),
    message: text,
  }),
);

/** Typed arrays as their bytes: `toEqual` takes NaNs with different payloads for equal. */
function withBytes(message: Message): unknown {
  const entries = Object.entries(message).map(([key, value]: [string, unknown]) =>
    ArrayBuffer.isView(value)
      ? [
          key,
          value.constructor.name,
          Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex'),
        ]
      : [key, value],
  );
  return entries.toSorted((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
}

test('every message comes back as it was, to the last bit', () => {
  fc.assert(
    fc.property(anyMessage, (message) => {
      expect(withBytes(decodeMessage(encodeMessage(message), limits))).toEqual(withBytes(message));
    }),
    { seed: 1, numRuns: 2_000 },
  );
});

test('the alignment of the received bytes does not matter', () => {
  fc.assert(
    fc.property(anyMessage, fc.nat({ max: 8 }), (message, shift) => {
      const frame = encodeMessage(message);
      const room = new Uint8Array(frame.length + 8);
      room.set(frame, shift);
      const received = room.subarray(shift, shift + frame.length);
      expect(withBytes(decodeMessage(received, limits))).toEqual(withBytes(message));
    }),
    { seed: 2 },
  );
});

test('aligned tensors are views over the frame, others are copies, Node Buffers included', () => {
  const frame = encodeMessage({ type: 'weights', version: 1, values: Float32Array.of(1, 2, 3) });
  const decodeAt = (shift: number): { values: Float32Array; buffer: Buffer } => {
    const room = Buffer.alloc(frame.length + 16);
    room.set(frame, shift);
    const message = decodeMessage(room.subarray(shift, shift + frame.length), limits);
    if (message.type !== 'weights') throw new Error('expected weights');
    return { values: message.values, buffer: room };
  };
  const aligned = decodeAt(8);
  expect(aligned.values.buffer).toBe(aligned.buffer.buffer);
  const shifted = decodeAt(3);
  expect(shifted.values.buffer).not.toBe(shifted.buffer.buffer);
  expect([...shifted.values]).toEqual([1, 2, 3]);
});

test('scenario 11, the wire: special values survive', () => {
  const bits32 = Uint32Array.of(
    0x80000000,
    0x00000001,
    0x807fffff,
    0x7fc00001,
    0xffa00000,
    0x7f800000,
    0xff800000,
  );
  const bits64 = BigUint64Array.of(0x8000000000000000n, 1n, 0x7ff8000000000001n, 0xfff0000000000001n);
  const fields = { type: 'partial', term: 1, round: 0, lo: 0, hi: 1, samples: 1, computeMs: 0 } as const;
  const [gradient, metrics] = [new Float32Array(bits32.buffer), new Float64Array(bits64.buffer)];
  const message = decodeMessage(encodeMessage({ ...fields, gradient, metrics }), limits);
  if (message.type !== 'partial') throw new Error('expected a partial');
  const received = message.gradient.slice().buffer;
  expect([...new Uint32Array(received)]).toEqual([...bits32]);
  expect([...new BigUint64Array(message.metrics.slice().buffer)]).toEqual([...bits64]);
});

test('encoding copies: the message may change afterwards, and a view is encoded as a view', () => {
  const values = Float32Array.of(9, 1, 2, 9).subarray(1, 3);
  const frame = encodeMessage({ type: 'weights', version: 0, values });
  values.fill(0);
  const message = decodeMessage(frame, limits);
  expect(message.type === 'weights' && [...message.values]).toEqual([1, 2]);
});

test('pieces are the frame, and the vector is not copied', () => {
  const gradient = Float32Array.of(1, 2, 3);
  const fields = { type: 'partial', term: 1, round: 0, lo: 0, hi: 1, samples: 1, computeMs: 0 } as const;
  const message = { ...fields, gradient, metrics: Float64Array.of(4) };
  const pieces = encodePieces(message);
  expect(pieces.at(-1)?.buffer).toBe(gradient.buffer);
  expect(Buffer.concat(pieces)).toEqual(Buffer.from(encodeMessage(message)));
});

test.each(Object.keys(vectorCodecs) as CodecName[])(
  'a gradient as %s comes back as its codec reads it',
  (name) => {
    const codec = vectorCodecs[name];
    const gradient = Float32Array.from({ length: 1_001 }, (_, i) => ((i * 37) % 101) - 50.3);
    const metrics = Float64Array.of(1, 2);
    const fields = { type: 'partial', term: 1, round: 0, lo: 0, hi: 1, samples: 1, computeMs: 0 } as const;
    const frame = encodeMessage({ ...fields, metrics, gradient, codec });
    const message = decodeMessage(frame, messageLimits({ parameters: 1_001, gradientCodec: name }));
    if (message.type !== 'partial') throw new Error('expected a partial');
    expect(message.gradient).toEqual(codec.decode(codec.encode(gradient), 1_001));
    expect(message.metrics).toEqual(metrics);
    expect(message.codec?.name).toBe(name === 'float32' ? undefined : name);
  },
);

test.each(['bfloat16', 'float16', 'int8', 'top-k'] as const)(
  'a gradient as %s comes back with its exact parts as they were',
  (codec) => {
    const exactParts = [
      { offset: 3, size: 2 },
      { offset: 1_000, size: 1 },
    ];
    const gradient = Float32Array.from({ length: 1_001 }, (_, i) => Math.fround(((i * 37) % 101) / 70));
    for (const i of [3, 4, 1_000]) gradient[i] = 1e5 + i / 7;
    const fields = { type: 'partial', term: 1, round: 0, lo: 0, hi: 1, samples: 1, computeMs: 0 } as const;
    const metrics = Float64Array.of(1, 2);
    const keeping = codecOf({ codec }, exactParts);
    const frame = encodeMessage({ ...fields, metrics, gradient, codec: keeping });
    const agreed = messageLimits({ parameters: 1_001, gradientCodec: codec, exactParts });
    const message = decodeMessage(frame, agreed);
    if (message.type !== 'partial') throw new Error('expected a partial');
    expect(message.gradient).toEqual(keeping.decode(keeping.encode(gradient), 1_001));
    for (const i of [3, 4, 1_000]) expect(message.gradient[i]).toBe(gradient[i]);
    expect(message.codec?.sizes(1_001)).toEqual(keeping.sizes(1_001));
  },
);

test.each(['bfloat16', 'float16'] as const)('weights as %s come back rounded', (name) => {
  const values = Float32Array.of(1, 0.1, -3e-7);
  const frame = encodeMessage({ type: 'weights', version: 1, values, codec: vectorCodecs[name] });
  const message = decodeMessage(frame, messageLimits({ role: 'coordinator', parameters: 3 }));
  if (message.type !== 'weights') throw new Error('expected weights');
  const codec = vectorCodecs[name];
  expect(message.values).toEqual(codec.decode(codec.encode(values), 3));
});

test('texts for people are cleaned and cut instead of refused', () => {
  const frame = encodeMessage({
    type: 'failed',
    code: 'WORKER_FAILED',
    message: '\u001b[31mred\u001b[0m\u0007\r\nnext',
    stack: 'x'.repeat(100_000),
    log: Array.from({ length: 500 }, (_, line) => `line ${line}`),
  });
  const message = decodeMessage(frame, messageLimits({ role: 'worker', parameters: 1 }));
  if (message.type !== 'failed') throw new Error('expected failed');
  expect(message.message).toBe('red\ufffd\nnext');
  expect(message.stack).toHaveLength(16_384);
  expect(message.log).toHaveLength(100);
  expect(message.log.at(-1)).toBe('line 499');
});

test('the largest header that the bounds allow fits the header limit', () => {
  const wide = '漢'.repeat(20_000);
  const failed = {
    type: 'failed',
    code: 'X',
    message: wide,
    stack: wide,
    log: Array(100).fill(wide),
  } as const;
  const lease = {
    type: 'lease',
    term: 1,
    round: 0,
    version: 0,
    step: 0,
    epoch: 0,
    task: 'step',
    leafCount: 2 ** 32 - 1,
  } as const;
  const leaves = Array.from({ length: 65_536 }, (_, index) => 2 ** 31 + index);
  const many = Array<number>(4_096).fill(0.1);
  const welcome = {
    type: 'welcome',
    protocol: protocolVersion,
    run: 'r',
    runId: 'a1',
    term: 1,
    worker: 'w',
    recipe: '漢'.repeat(262_144),
    recipeHash: 'a'.repeat(64),
    manifests: { train: 'a'.repeat(64), test: 'a'.repeat(64) },
    statistics: { mean: many, deviation: many },
  } as const;
  for (const message of [failed, { ...lease, leaves }, welcome] satisfies Message[]) {
    expect(decodeMessage(encodeMessage(message), limits).type).toBe(message.type);
  }
});

test.each<[string, unknown, string]>([
  ['an empty name', { type: 'ready', numericsClass: '' }, 'numericsClass'],
  ['a missing field', { type: 'ready' }, 'numericsClass'],
  ['an unknown field', { type: 'leave', reason: 'x', more: 1 }, 'more'],
  ['a number beyond 32 bits', { type: 'weights', version: 2 ** 32, values: new Float32Array(1) }, 'version'],
  ['a fraction', { type: 'weights', version: 0.5, values: new Float32Array(1) }, 'version'],
  [
    'a tensor of the wrong type',
    { type: 'weights', version: 0, values: new Float64Array(1) },
    'Float32Array',
  ],
  ['leaves out of order', { type: 'prepare', shards: [2, 1] }, 'ascending'],
  [
    'weights in 8 bits',
    { type: 'weights', version: 0, values: new Float32Array(1), codec: vectorCodecs.int8 },
    'dtype',
  ],
  ['an unknown type', { type: 'nonsense' }, 'nonsense'],
])('encoding refuses %s as a bug of the caller', (_, message, named) => {
  expect(() => encodeMessage(message as Message)).toThrow(TypeError);
  expect(() => encodeMessage(message as Message)).toThrow(named);
});
