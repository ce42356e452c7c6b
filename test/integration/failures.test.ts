import type { Dataset } from '@gradwire/data';
import { createShardOrder } from '@gradwire/data';
import type { Splits } from '@gradwire/coordinator';
import { expect, test } from 'vitest';
import type { WorkerOptions } from '@gradwire/worker';
import { joinAsGuest } from '../harness/guest.ts';
import { smallData, smallRecipe, startSmallRun } from '../harness/small-run.ts';
import { startTcpProxy } from '../harness/tcp-proxy.ts';

const { batchSize, shards, seed } = smallRecipe;

function asFloats(dataset: Dataset): Dataset {
  const features = Float32Array.from(dataset.features, (x) => x / 255);
  return { ...dataset, featureType: 'float32', features };
}

/** The data with float features, and `value` in all of one sample's. */
function poisoned(sample: number, value: number): Splits {
  const { train, test } = smallData();
  const splits = { train: asFloats(train), test: asFloats(test) };
  splits.train.features.fill(value, sample * 16, (sample + 1) * 16);
  return splits;
}

test('a gradient that is not finite: the run fails before the update, and says where', async () => {
  const [step, shard] = [4, 2];
  const order = createShardOrder({ count: 203, shards, seed });
  const [sample = 0] = order.microBatch({ epoch: 0, step, batchSize, shard });
  // The logits overflow.
  await using run = await startSmallRun(smallRecipe, poisoned(sample, 3e38));
  const { outcome } = run.work({ name: 'ada' });
  const { failure, summary } = await run.coordinator.done;
  expect(failure).toMatchObject({ code: 'NON_FINITE' });
  expect(failure?.message).toMatch(new RegExp(`step ${step + 1}\\b.*shard.* ${shard}\\b.*computed by ada`));
  expect(failure?.message).toMatch(/gradient of \S*kernel is (NaN|-?Infinity)/);
  expect(failure?.message).toContain('the weights are unchanged');
  expect(summary).toMatchObject({ outcome: 'failed', steps: step, failure: { code: 'NON_FINITE' } });
  expect(await outcome).toMatchObject({ outcome: 'failed', message: failure?.message });
});

test.each([Number.NaN, Number.NEGATIVE_INFINITY])(
  '%f among the features is found before the run',
  async (value) => {
    await expect(startSmallRun(smallRecipe, poisoned(77, value))).rejects.toMatchObject({
      code: 'DATA_CORRUPT',
      message: `small: expected finite features, found ${value} in sample 77`,
    });
  },
);

test('weights that overflow: the run fails and names the step', async () => {
  const recipe = {
    ...smallRecipe,
    optimizer: { type: 'sgd' },
    schedule: { type: 'constant', learningRate: 1e39 },
  } as const;
  await using run = await startSmallRun(recipe);
  run.work({ name: 'ada' });
  const { failure, summary } = await run.coordinator.done;
  expect(failure).toMatchObject({ code: 'NON_FINITE', message: expect.stringMatching(/step \d+/) });
  expect(summary.outcome).toBe('failed');
});

const badStep = 6;
const [badSample = 0] = createShardOrder({ count: 203, shards, seed }).microBatch({
  epoch: 0,
  step: badStep,
  batchSize,
  shard: 3,
});

/** A machine whose memory changes a label after the data set was checked. */
function badMachine(): Pick<WorkerOptions, 'findLocal' | 'onEvent'> {
  const { train, test } = smallData();
  const labels = new Uint8Array(new SharedArrayBuffer(train.count));
  labels.set(train.labels);
  return {
    findLocal: async () => ({ train: { ...train, labels }, test, source: 'a bad memory' }),
    onEvent({ type }) {
      if (type === 'ready') labels[badSample] = 200;
    },
  };
}
const badLabel = 'found 200';

test('a worker that fails: the run goes on with the others, with the same bits', async () => {
  await using calm = await startSmallRun();
  calm.work();
  const expected = (await calm.coordinator.done).summary.weightsSha256;

  await using run = await startSmallRun();
  const bad = run.work({ name: 'bad', ...badMachine() });
  await expect(bad.outcome).rejects.toThrow(badLabel);
  expect(await run.event(({ type }) => type === 'worker-left')).toMatchObject({
    worker: 'bad',
    why: 'failed',
    reason: expect.stringContaining(badLabel),
  });
  run.work({ name: 'good' });
  expect((await run.coordinator.done).summary).toMatchObject({
    outcome: 'finished',
    weightsSha256: expected,
  });
});

test('a lease that fails on two workers ends the run; the first cause is reported with its place', async () => {
  await using run = await startSmallRun();
  const bad = [1, 2].map((n) =>
    run.work({ name: `bad-${n}`, ...badMachine(), lastLines: () => [`the last line of bad-${n}`] }),
  );
  const { failure, summary } = await run.coordinator.done;
  const first = failure?.worker ?? 'nobody';
  expect(['bad-1', 'bad-2']).toContain(first);
  expect(failure).toMatchObject({
    code: 'WORKER_FAILED',
    message: expect.stringMatching(
      `^step ${badStep + 1} \\(epoch 1\\): shard 3 failed on two workers, first on ${first}: .*${badLabel}.*; then on`,
    ),
    stack: expect.stringContaining('compute-thread'),
    log: [`the last line of ${first}`],
  });
  expect(summary).toMatchObject({
    outcome: 'failed',
    steps: badStep,
    failure: { code: 'WORKER_FAILED' },
  });
  await Promise.allSettled(bad.map(({ outcome }) => outcome));
});

test('a worker whose connection is cut comes back, and leaves no trace in the weights', async () => {
  await using calm = await startSmallRun();
  calm.work();
  const expected = (await calm.coordinator.done).summary.weightsSha256;

  await using run = await startSmallRun();
  await using cable = await startTcpProxy(run.coordinator.port);
  const { events, outcome } = run.work({ name: 'ada', url: `ws://127.0.0.1:${cable.port}` });
  for (const step of [3, 9]) {
    await run.event((event) => event.type === 'step' && event.record.step === step);
    cable.cut();
  }
  const { summary } = await run.coordinator.done;
  expect(summary).toMatchObject({ outcome: 'finished', weightsSha256: expected, samplesSeen: 406 });
  expect(await outcome).toMatchObject({ outcome: 'finished' });
  expect(events.filter(({ type }) => type === 'disconnected').length).toBe(2);
  const joins = run.events.flatMap((event) => (event.type === 'worker-joined' ? [event.again] : []));
  expect(joins).toEqual([false, true, true]);
});

test('all connections break at once, as when a switch restarts: no shard is blamed, and the run goes on', async () => {
  await using run = await startSmallRun();
  await using cable = await startTcpProxy(run.coordinator.port);
  const { token } = run.coordinator;
  const url = `ws://127.0.0.1:${cable.port}`;
  // Three for each shard, so that what one loses goes to another that is lost as well.
  for (let n = 0; n < 3 * shards; n += 1) await joinAsGuest({ url, token, name: `guest-${n}` });
  cable.cut();
  await run.event((event) => event.type === 'worker-left' && event.workers === 0);
  run.work({ name: 'ada' });
  expect((await run.coordinator.done).summary).toMatchObject({ outcome: 'finished', steps: 22 });
});

test('a worker that is asked to leave hands its leases back, and the run waits for another', async () => {
  await using run = await startSmallRun();
  const leaving = new AbortController();
  const { outcome } = run.work({ name: 'ada', signal: leaving.signal });
  await run.event((event) => event.type === 'step' && event.record.step === 2);
  leaving.abort('lunch');
  expect(await outcome).toMatchObject({ outcome: 'left' });
  expect(await run.event(({ type }) => type === 'worker-left')).toMatchObject({
    why: 'leave',
    reason: 'lunch',
  });
  run.work({ name: 'bob' });
  expect((await run.coordinator.done).summary).toMatchObject({ outcome: 'finished', steps: 22 });
});

test('an operator who stops the run gets the files of what was done', async () => {
  await using run = await startSmallRun();
  run.work();
  await run.event((event) => event.type === 'step' && event.record.step === 5);
  run.coordinator.stop();
  const { summary, files } = await run.coordinator.done;
  expect(summary.outcome).toBe('stopped');
  expect(summary.steps).toBeGreaterThanOrEqual(5);
  expect(summary.steps).toBeLessThan(22);
  expect(files.some((file) => file.endsWith('weights.safetensors'))).toBe(true);
});
