import {
  decodeMessage,
  encodeMessage,
  messageLimits,
  type Message,
  type PartialMessage,
} from '@gradwire/protocol';
import type { Channel } from '@gradwire/transport';
import { createMember } from '@gradwire/worker';
import { expect, test } from 'vitest';
import { smallRecipe, startSmallRun, type SmallRun } from '../harness/small-run.ts';

const recipe = { ...smallRecipe, epochs: 20 };

/** Whether it has changed a partial. */
type Tampering = (partial: PartialMessage) => boolean;

/** Passes on everything, but for what `change` makes of a worker's partials. */
function tamper(channel: Channel, change: Tampering): Channel {
  const limits = messageLimits({ role: 'worker', parameters: 51, classes: 3 });
  return {
    ...channel,
    get bufferedBytes() {
      return channel.bufferedBytes;
    },
    send(frame) {
      const bytes = frame instanceof Uint8Array ? frame : Buffer.concat(frame as Uint8Array[]);
      const message = decodeMessage(bytes, limits) as Message;
      const isChanged = message.type === 'partial' && change(message);
      channel.send(isChanged ? encodeMessage(message) : frame);
    },
  };
}

/** A worker over a tampered channel. */
async function lie(run: SmallRun, name: string, change: Tampering): Promise<void> {
  const over = new AbortController();
  const member = await createMember({
    name,
    backend: 'wasm',
    threads: 1,
    software: 'test',
    cacheDirectory: `${run.directory}/cache`,
    findLocal: async () => ({ ...run.data, source: 'here' }),
    signal: over.signal,
    onEvent: () => undefined,
  });
  try {
    const { url, coordinator } = run;
    await member.serve(tamper(coordinator.connect(), change), { url, token: coordinator.token });
  } finally {
    await member.close();
  }
}

test('a worker that lies from some moment on: the run goes back to a snapshot before that, by itself', async () => {
  const long = { ...smallRecipe, epochs: 20 };
  await using calm = await startSmallRun(long);
  calm.work();
  const expected = (await calm.coordinator.done).summary.weightsSha256;

  await using run = await startSmallRun(long, undefined, { verify: 0.2, snapshotEvery: 10 });
  let isTempted = false;
  const liar = lie(run, 'mallory', ({ gradient, metrics }) => {
    if (!isTempted) return false;
    gradient.fill(1);
    metrics[0] = 1;
    return true;
  });
  for (const name of ['ada', 'bob']) run.work({ name });
  await run.event(() => run.events.filter(({ type }) => type === 'worker-prepared').length === 3);
  isTempted = true;

  const { summary, outcome } = await run.coordinator.done;
  await liar;
  expect({ outcome, weights: summary.weightsSha256 }).toEqual({ outcome: 'finished', weights: expected });
  const expelled = run.events.filter((event) => event.type === 'worker-left' && event.why === 'expelled');
  expect(expelled).toMatchObject([{ worker: 'mallory' }]);
});

test('a worker that flips one bit in one contribution is put out by name; the weights are those of the calm run', async () => {
  await using calm = await startSmallRun(recipe);
  calm.work();
  const expected = (await calm.coordinator.done).summary.weightsSha256;

  await using run = await startSmallRun(recipe, undefined, { verify: 1 });
  let isTempted = false;
  const liar = lie(run, 'mallory', ({ gradient }) => {
    if (!isTempted || gradient.length === 0) return false;
    isTempted = false;
    new Uint32Array(gradient.buffer, gradient.byteOffset, 1)[0]! ^= 1;
    return true;
  });
  for (const name of ['ada', 'bob']) run.work({ name });
  const prepared = (): number => run.events.filter(({ type }) => type === 'worker-prepared').length;
  await run.event(() => prepared() === 3);
  isTempted = true;

  const { summary, outcome } = await run.coordinator.done;
  await liar;
  expect({ outcome, weights: summary.weightsSha256 }).toEqual({ outcome: 'finished', weights: expected });
  const left = run.events.find((event) => event.type === 'worker-left' && event.why === 'expelled');
  expect(left).toMatchObject({
    worker: 'mallory',
    reason: expect.stringContaining('computed other numbers'),
  });
  expect(run.events.filter((event) => event.type === 'worker-left' && event.why === 'expelled')).toHaveLength(
    1,
  );
});
