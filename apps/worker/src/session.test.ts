import { EventEmitter, once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { decodeMessage, encodeMessage, messageLimits, protocolVersion } from '@gradwire/protocol';
import { GradwireError } from '@gradwire/errors';
import { createPair } from '@gradwire/transport';
import { findRecipe } from '@gradwire/recipes';
import { expect, test } from 'vitest';
import { runSession } from './session.ts';
import type { Workbench } from './workbench.ts';

const sum = '0'.repeat(64);
const statistics = { mean: [0], deviation: [1] };
const manifests = { train: sum, test: sum };
const welcome = {
  protocol: protocolVersion,
  run: 'r',
  runId: 'a1',
  term: 1,
  worker: 'w',
  recipe: '{}',
  recipeHash: sum,
};
const hello = {
  type: 'hello',
  protocol: protocolVersion,
  software: '0',
  name: 'w',
  backend: 'wasm',
  threads: 1,
} as const;

/** A workbench that must not be asked to compute. */
const bench = {
  recipe: findRecipe('mnist-logistic'),
  numericsClass: 'test',
  computeRun: { setWeights: () => undefined },
} as unknown as Workbench;

test.each([
  ['on weights that the worker does not hold', { version: 7 }, 'version 7, this worker holds version 6'],
  ['of another term', { term: 2 }, 'a lease of term 2 on a connection of term 1'],
])('a lease %s is refused, not computed', async (_, change, message) => {
  const [mine, theirs] = createPair();
  const limits = messageLimits({ role: 'coordinator' });
  const session = runSession({
    channel: mine,
    hello,
    limits,
    openWorkbench: async () => bench,
    signal: new AbortController().signal,
    onEvent: () => undefined,
    lastLines: () => [],
  });
  theirs.send(encodeMessage({ type: 'welcome', ...welcome, manifests, statistics }));
  theirs.send(encodeMessage({ type: 'weights', version: 6, values: Float32Array.of(1) }));
  const lease = {
    term: 1,
    round: 7,
    task: 'step',
    version: 6,
    step: 7,
    epoch: 0,
    leaves: [0],
    leafCount: 1,
  } as const;
  theirs.send(encodeMessage({ type: 'lease', ...lease, ...change }));
  await expect(session).rejects.toMatchObject({ code: 'MESSAGE_INVALID' });

  const answers: unknown[] = [];
  for await (const frame of theirs.frames)
    answers.push(decodeMessage(frame, messageLimits({ role: 'worker' })));
  expect(answers).toMatchObject([
    { type: 'hello' },
    { type: 'ready' },
    { type: 'failed', round: 7, message: expect.stringContaining(message) },
  ]);
});

test('a worker whose threads do not start leaves: that is no failure of the run', async () => {
  const [mine, theirs] = createPair();
  const session = runSession({
    channel: mine,
    hello,
    limits: messageLimits({ role: 'coordinator' }),
    openWorkbench: async () => {
      throw new GradwireError('BACKEND_UNAVAILABLE', 'no SIMD here');
    },
    signal: new AbortController().signal,
    onEvent: () => undefined,
    lastLines: () => [],
  });
  theirs.send(encodeMessage({ type: 'welcome', ...welcome, manifests, statistics }));
  await expect(session).rejects.toMatchObject({ code: 'BACKEND_UNAVAILABLE' });

  const said: unknown[] = [];
  for await (const frame of theirs.frames) said.push(decodeMessage(frame, messageLimits({ role: 'worker' })));
  expect(said).toMatchObject([{ type: 'hello' }, { type: 'leave', reason: 'no SIMD here' }]);
});

test('a session is over when its last word has left: the process may end next', async () => {
  const [mine, theirs] = createPair();
  const line = new EventEmitter();
  let isOver = false;
  const session = runSession({
    channel: { ...mine, closed: once(line, 'free').then(() => mine.closed) },
    hello,
    limits: messageLimits({ role: 'coordinator' }),
    openWorkbench: async () => bench,
    signal: new AbortController().signal,
    onEvent: () => undefined,
    lastLines: () => [],
  }).then(() => (isOver = true));
  theirs.send(encodeMessage({ type: 'end', outcome: 'finished', message: '' }));
  await theirs.closed;
  await setImmediate();
  expect(isOver).toBe(false);
  line.emit('free');
  await session;
});
