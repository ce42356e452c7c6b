import { codecOf, createTopK, protocolVersion, vectorCodecs } from '@gradwire/protocol';

/** Elements of the gradients and weights below. */
export const parameters = 48;

/** What of a gradient may be float32 in a lossy codec too. */
export const exactParts = [
  { offset: 5, size: 3 },
  { offset: 40, size: 8 },
];

const vector = Float32Array.from({ length: parameters }, (_, i) => (i % 5 === 0 ? 0 : Math.sin(i) / (i + 1)));
const keeping = ['int8', 'top-k'].map((codec) => codecOf({ codec }, exactParts));
const hash = 'ab'.repeat(32);
const lease = { term: 1, round: 3, version: 2, step: 1, epoch: 0, leaves: [0, 2, 3], leafCount: 7 };
const partial = { type: 'partial', term: 1, round: 3, lo: 0, hi: 2, samples: 20, computeMs: 1.5 };

/** A valid message of every type, and vectors in every codec. */
export const messages = [
  { type: 'hello', protocol: protocolVersion, software: '0.1.0', name: 'w', backend: 'wasm', threads: 2 },
  {
    type: 'hello',
    protocol: protocolVersion,
    software: '1',
    name: 'w',
    backend: 'native',
    threads: 1,
    recipeHash: hash,
  },
  {
    type: 'welcome',
    protocol: protocolVersion,
    run: '0001-small',
    runId: 'a1',
    term: 1,
    worker: 'w',
    recipe: '{"name":"small"}',
    recipeHash: hash,
    manifests: { train: hash, test: hash },
    statistics: { mean: [0.5], deviation: [0.25] },
  },
  { type: 'ready', numericsClass: 'wasm-0f3a' },
  { type: 'prepare', shards: [0, 1, 300] },
  { type: 'prepared', shards: [0, 1, 300], fetchedBytes: 4096 },
  { type: 'lease', task: 'step', ...lease },
  { type: 'lease', task: 'step', ...lease, coding: { codec: 'top-k', shards: 4, share: 0.01 } },
  { type: 'lease', task: 'evaluate', split: 'test', ...lease },
  { type: 'failed', code: 'INTERNAL', message: 'm', stack: 's\n  at t', log: ['a', 'b'], round: 3, leaf: 1 },
  { type: 'leave', reason: 'going home' },
  { type: 'end', outcome: 'finished', message: '' },
  { type: 'weights', version: 3, values: vector },
  { type: 'weights', version: 3, values: vector, codec: vectorCodecs.bfloat16 },
  { type: 'weights', version: 3, values: vector, codec: vectorCodecs.float16 },
  ...[...Object.values({ ...vectorCodecs, 'top-k': createTopK(0.2) }), ...keeping].map((codec) => ({
    ...partial,
    gradient: vector,
    metrics: Float64Array.of(2.5, 7),
    ...(codec.name === 'float32' ? {} : { codec }),
  })),
];
