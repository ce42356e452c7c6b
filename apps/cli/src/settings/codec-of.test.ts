import type { CodecSpec } from '@gradwire/recipes';
import { expect, test } from 'vitest';
import { codecArguments, codecOf, type CodecSettings } from './codec-of.ts';

const own: CodecSpec = { gradients: { type: 'top-k', share: 0.2 }, weights: 'float16' };

test.each<[string, CodecSettings, CodecSpec | undefined, CodecSpec | undefined]>([
  ['nothing given', {}, undefined, undefined],
  ['the recipe’s own', {}, own, own],
  ['float32 already', { codec: 'float32', weightsCodec: 'float32' }, undefined, undefined],
  ['float32 again', { codec: 'float32' }, own, { weights: 'float16' }],
  ['both float32 again', { codec: 'float32', weightsCodec: 'float32' }, own, {}],
  ['a codec', { codec: 'int8' }, undefined, { gradients: { type: 'int8' } }],
  ['weights alone', { weightsCodec: 'bfloat16' }, undefined, { weights: 'bfloat16' }],
  [
    'another codec',
    { codec: 'int8', codecShards: 2 },
    own,
    { ...own, gradients: { type: 'int8', shards: 2 } },
  ],
  [
    'the same codec',
    { codec: 'top-k', codecShards: 2 },
    own,
    { ...own, gradients: { ...own.gradients!, shards: 2 } },
  ],
  [
    'error feedback',
    { codec: 'top-k', codecFeedback: 8 },
    undefined,
    { gradients: { type: 'top-k', feedbackSteps: 8 } },
  ],
  ['auto, until it has chosen', { codec: 'auto', lossy: true }, own, {}],
])('%s', (_, settings, before, expected) => {
  expect(codecOf(settings, before)).toEqual(expected);
});

test.each<[CodecSettings, string]>([
  [{ codecShards: 2 }, '--codec-shards belongs to a lossy --codec, found float32'],
  [{ codec: 'int8', codecFeedback: 8 }, '--codec-feedback belongs to --codec top-k, found int8'],
  [{ codec: 'auto', codecShards: 2 }, 'found auto'],
  [{ codec: 'auto', weightsCodec: 'float16' }, 'found --weights-codec float16'],
  [{ codec: 'int8', lossy: true }, '--lossy belongs to --codec auto, found --codec int8'],
])('%o is refused', (settings, message) => {
  expect(() => codecOf(settings)).toThrow(message);
});

test('the arguments that choose codecs choose the same ones again', () => {
  const spec: CodecSpec = { gradients: { type: 'int8', shards: 2 }, weights: 'bfloat16' };
  expect(codecArguments(spec)).toEqual([
    '--codec',
    'int8',
    '--codec-shards',
    '2',
    '--weights-codec',
    'bfloat16',
  ]);
  expect(codecOf({ codec: 'int8', codecShards: 2, weightsCodec: 'bfloat16' })).toEqual(spec);
  const sparse: CodecSpec = { gradients: { type: 'top-k', feedbackSteps: 8 } };
  expect(codecArguments(sparse)).toEqual(['--codec', 'top-k', '--codec-feedback', '8']);
  expect(codecArguments()).toEqual([]);
});
