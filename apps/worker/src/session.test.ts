import { decodeMessage, encodeMessage, messageLimits, protocolVersion } from '@gradwire/protocol';
import { createPair } from '@gradwire/transport';
import { findRecipe } from '@gradwire/recipes';
import { expect, test } from 'vitest';
import { runSession } from './session.ts';
import type { Workbench } from './workbench.ts';

const sum = '0'.repeat(64);

/** A workbench that must not be asked to compute. */
const bench = {
  recipe: findRecipe('mnist-logistic'),
  numericsClass: 'test',
  computeRun: { setWeights: () => undefined },
} as unknown as Workbench;

test('a lease on weights that the worker does not hold is refused, not computed', async () => {
  const [mine, theirs] = createPair();
  const limits = messageLimits({ role: 'coordinator' });
  const session = runSession({
    channel: mine,
    hello: {
      type: 'hello',
      protocol: protocolVersion,
      software: '0',
      name: 'w',
      backend: 'wasm',
      threads: 1,
    },
    limits,
    openWorkbench: async () => bench,
    signal: new AbortController().signal,
    onEvent: () => undefined,
    lastLines: () => [],
  });
  const statistics = { mean: [0], deviation: [1] };
  const manifests = { train: sum, test: sum };
  const welcome = { protocol: protocolVersion, run: 'r', worker: 'w', recipe: '{}', recipeHash: sum };
  theirs.send(encodeMessage({ type: 'welcome', ...welcome, manifests, statistics }));
  theirs.send(encodeMessage({ type: 'weights', version: 6, values: Float32Array.of(1) }));
  const lease = { round: 7, task: 'step', version: 7, step: 7, epoch: 0, leaves: [0], leafCount: 1 } as const;
  theirs.send(encodeMessage({ type: 'lease', ...lease }));
  await expect(session).rejects.toMatchObject({ code: 'MESSAGE_INVALID' });

  const answers: unknown[] = [];
  for await (const frame of theirs.frames)
    answers.push(decodeMessage(frame, messageLimits({ role: 'worker' })));
  expect(answers).toMatchObject([
    { type: 'hello' },
    { type: 'ready' },
    { type: 'failed', round: 7, message: expect.stringContaining('version 7, this worker holds version 6') },
  ]);
});
