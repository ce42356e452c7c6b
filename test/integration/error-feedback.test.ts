import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CoordinatorEvent } from '@gradwire/coordinator';
import { closeCodes, decodeMessage, type LeaseMessage, messageLimits } from '@gradwire/protocol';
import type { Recipe } from '@gradwire/recipes';
import type { Channel } from '@gradwire/transport';
import { createMember } from '@gradwire/worker';
import { beforeAll, expect, test } from 'vitest';
import { smallData, smallRecipe, type SmallRun, startSmallRun } from '../harness/small-run.ts';
import { createTemporaryFolder } from '../harness/temporary-folder.ts';

const gradients = { type: 'top-k', shards: 2, share: 0.1, feedbackSteps: 4 } as const;

/** Eleven steps an epoch, the last of them with three samples. Periods begin with steps 1, 5, 9 and 11 of each. */
const recipe: Recipe = { ...smallRecipe, epochs: 3, codec: { gradients, weights: 'bfloat16' } };
let calm: string;

async function hashOf(
  threads: readonly number[],
  { verify = 0, of = recipe }: { readonly verify?: number; readonly of?: Recipe } = {},
): Promise<string> {
  await using run = await startSmallRun(of, undefined, { verify });
  for (const [n, count] of threads.entries()) run.work({ name: `worker-${n}`, threads: count });
  return await endOf(run);
}

async function endOf({ coordinator }: SmallRun): Promise<string> {
  const { summary } = await coordinator.done;
  expect(summary).toMatchObject({ outcome: 'finished', exact: true });
  return summary.weightsSha256;
}

beforeAll(async () => {
  calm = await hashOf([1]);
});

/** A worker over a channel of this process, which ends at a lease that `breaks`. Returns the leases that were sent to it. */
async function work(
  { coordinator, directory, data, url }: SmallRun,
  name: string,
  breaks: (lease: LeaseMessage) => boolean | Promise<boolean> = () => false,
): Promise<LeaseMessage[]> {
  const leases: LeaseMessage[] = [];
  const channel = coordinator.connect();
  const frames = async function* (): AsyncGenerator<Uint8Array> {
    for await (const frame of channel.frames) {
      const message = decodeMessage(frame, messageLimits({ role: 'coordinator' }));
      if (message.type === 'lease') {
        leases.push(message);
        if (await breaks(message)) return channel.close(closeCodes.connectionLost.code, 'cut');
      }
      yield frame;
    }
  };
  const cut: Channel = {
    ...channel,
    frames: frames(),
    get bufferedBytes() {
      return channel.bufferedBytes;
    },
  };
  const member = await createMember({
    name,
    backend: 'wasm',
    threads: 1,
    software: 'test',
    cacheDirectory: `${directory}/cache`,
    findLocal: async () => ({ ...data, source: 'here' }),
    signal: new AbortController().signal,
    onEvent: () => undefined,
  });
  try {
    await member.serve(cut, { url, token: coordinator.token });
  } finally {
    await member.close();
  }
  return leases;
}

test('any number of workers and threads gives the same bits, others than without feedback', async () => {
  for (const threads of [
    [1, 1],
    [1, 1, 1],
    [2, 1],
  ])
    expect(await hashOf(threads)).toBe(calm);
  const { feedbackSteps: _, ...lossy } = gradients;
  const without: Recipe = { ...recipe, codec: { gradients: lossy, weights: 'bfloat16' } };
  expect(await hashOf([1], { of: without })).not.toBe(calm);
});

test('so do leases that are computed twice', async () => {
  expect(await hashOf([1, 1, 1], { verify: 0.3 })).toBe(calm);
});

// Epoch 2 begins with version 11, its second period with version 15.
test.each([
  [12, [11]],
  [13, [11, 12]],
  [14, [11, 12, 13]],
  [15, []],
  [16, [15]],
])('a worker is lost with version %i: the next one first computes versions %o again', async (lost, again) => {
  await using run = await startSmallRun(recipe);
  const broken = await work(run, 'goes', ({ version }) => version === lost);
  expect(broken.some(({ feedback }) => feedback?.isReplay)).toBe(false);
  const leases = work(run, 'comes');
  expect(await endOf(run)).toBe(calm);
  const replays = (await leases).filter(({ feedback }) => feedback?.isReplay);
  expect(replays.map(({ version }) => version)).toEqual(again);
  for (const { leaves } of replays) expect(leaves).toEqual([0, 1, 2, 3, 4, 5, 6]);
});

/** A million weights, which are 4 MB; periods of eight steps, in an epoch of eleven. */
function largeRecipe(groupSize: number): Recipe {
  const [flatten, ...head] = smallRecipe.model.layers;
  const hidden = { type: 'dense', units: 50_000 } as const;
  return {
    ...smallRecipe,
    model: { ...smallRecipe.model, layers: [flatten!, hidden, ...head] },
    epochs: 1,
    codec: { gradients: { ...gradients, shards: groupSize, feedbackSteps: 8 } },
  };
}

/** The run's weights, or that the worker was lost. */
async function endWithout(run: SmallRun, lost: string): Promise<unknown> {
  const isLost = (event: CoordinatorEvent): boolean =>
    event.type === 'worker-left' && event.worker === lost && event.why === 'lost';
  return await run.event(isLost).catch(() => endOf(run));
}

test('a worker is lost late in a period with large weights: the next one gets all of them', async () => {
  const large = largeRecipe(4);
  await using run = await startSmallRun(large);
  await work(run, 'goes', ({ version }) => version === 7);
  run.work({ name: 'comes' });
  expect(await endWithout(run, 'comes')).toBe(await hashOf([1], { of: large }));
});

test('so does one that comes late and is asked about each group of another worker', async () => {
  const large = largeRecipe(2);
  await using run = await startSmallRun(large, undefined, { verify: 1 });
  const stays = work(run, 'stays', async ({ version }) => {
    if (version !== 7) return false;
    run.work({ name: 'comes' });
    await run.event((event) => event.type === 'worker-prepared' && event.worker === 'comes');
    return false;
  });
  expect(await endWithout(run, 'comes')).toBe(await hashOf([1], { of: large }));
  await stays;
});

test('one of three workers is lost, whatever it held', async () => {
  await using run = await startSmallRun(recipe);
  const prepared = (name: string): Promise<unknown> =>
    run.event((event) => event.type === 'worker-prepared' && event.worker === name);
  const goes = work(run, 'goes', async ({ task, version }) => {
    await Promise.all([prepared('ada'), prepared('bob')]);
    return task === 'step' && version >= 13;
  });
  for (const name of ['ada', 'bob']) run.work({ name });
  expect(await endOf(run)).toBe(calm);
  await goes;
});

test('a run that is stopped within periods, and resumed: snapshots lie between periods, the bits are the same', async () => {
  await using root = await createTemporaryFolder();
  let before: SmallRun | undefined;
  for (const step of [6, 13, 17, 99]) {
    const more = before ? { resume: before.folder } : {};
    await using run = await startSmallRun(recipe, smallData(), {
      root: root.path,
      snapshotEvery: 1,
      ...more,
    });
    run.work();
    if (step === 99) expect(await endOf(run)).toBe(calm);
    else {
      await run.event((event) => event.type === 'step' && event.record.step >= step);
      run.coordinator.stop();
      await run.coordinator.done;
    }
    before = run;
    for (const name of await readdir(join(run.directory, 'snapshots')))
      expect([0, 4, 8, 10]).toContain(Number(/\d+/.exec(name)?.[0]) % 11);
  }
});
