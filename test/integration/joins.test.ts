import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { closeCodes } from '@gradwire/protocol';
import { prepareBackend } from '@gradwire/backend';
import { createTrainer, probeHash } from '@gradwire/training';
import { memory } from '@tensorflow/tfjs-core';
import { expect, test, vi } from 'vitest';
import { joinAsGuest } from '../harness/guest.ts';
import { type SmallRun, smallRecipe, startSmallRun } from '../harness/small-run.ts';
import { startTcpProxy, type TcpProxy } from '../harness/tcp-proxy.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Everything of this process, which is the coordinator's and the guests'. */
interface Held {
  readonly heapBytes: number;
  readonly bufferBytes: number;
  /** Open files and sockets; none counted where there is no /proc. */
  readonly descriptors: number;
  /** Steps made so far: each leaves a point of the curves. */
  readonly steps: number;
}

const sockets = (): number => process.getActiveResourcesInfo().filter((name) => name.includes('TCP')).length;

/** Once there are no more sockets than those that listen, and the two ends of that of the one worker who stays. */
async function measure({ coordinator }: SmallRun, listening: number): Promise<Held> {
  const isQuiet = (): boolean => coordinator.workers === 1 && sockets() <= listening + 2;
  // Connections for data stay open for some seconds, in case more is asked for.
  await vi.waitUntil(isQuiet, { timeout: 30_000, interval: 100 });
  for (let i = 0; i < 4; i += 1) collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  const steps = coordinator.status().round?.version ?? 0;
  return { heapBytes: heapUsed, bufferBytes: arrayBuffers, descriptors: await countDescriptors(), steps };
}

/** The fewest of some looks: a snapshot that is being written has files open for a moment, a leak for ever. */
async function countDescriptors(): Promise<number> {
  if (process.platform !== 'linux') return 0;
  let fewest = Infinity;
  for (let look = 0; look < 20; look += 1) {
    fewest = Math.min(fewest, readdirSync('/proc/self/fd').length);
    await sleep(10);
  }
  return fewest;
}

const atOnce = 20;
const stages = ['connected', 'welcome', 'prepare', 'prepare'] as const;

/** So many guests join and leave, twenty at a time: in order, by breaking the protocol, or by a cable that is cut. */
async function comeAndGo({ coordinator }: SmallRun, cable: TcpProxy, guests: number): Promise<void> {
  const { token } = coordinator;
  const url = `ws://127.0.0.1:${cable.port}`;
  for (let batch = 0; batch < guests / atOnce; batch += 1) {
    const channels = await Promise.all(
      Array.from({ length: atOnce }, (_, n) =>
        joinAsGuest({ url, token, name: `guest-${batch}-${n}`, until: stages[n % 4] ?? 'prepare' }),
      ),
    );
    const way = batch % 3;
    if (way === 0) for (const channel of channels) channel.close(closeCodes.goodbye.code, 'enough');
    if (way === 1) for (const channel of channels) channel.send(Uint8Array.of(1, 2, 3, 4, 5));
    if (way === 2) cable.cut();
    await Promise.all(channels.map(({ closed }) => closed));
  }
}

test('a thousand joins and leaves in one run leave neither memory nor sockets behind', async () => {
  const joins = 1_000;
  await using run = await startSmallRun({ ...smallRecipe, epochs: 1_000_000 }, undefined, {
    keeps: ({ type }) => type === 'worker-prepared',
    limits: { maxNewPerSecond: 100_000 },
  });
  await using cable = await startTcpProxy(run.coordinator.port);
  run.work({ name: 'ada', onEvent: () => undefined });
  await run.event(({ type }) => type === 'worker-prepared');
  // What is compiled, and what is allocated once.
  await comeAndGo(run, cable, 300);
  const before = await measure(run, 2);
  await comeAndGo(run, cable, joins);
  const after = await measure(run, 2);
  const grown = (key: keyof Held): number => after[key] - before[key];
  console.log(
    `${joins} joins and leaves, ${grown('steps')} steps: heap ${grown('heapBytes')} bytes, buffers ${grown('bufferBytes')} bytes, descriptors ${grown('descriptors')}`,
  );
  expect(grown('descriptors')).toBeLessThanOrEqual(0);
  // The names of those who were there, and the curves of the steps that were made meanwhile.
  expect(grown('heapBytes')).toBeLessThan(joins * 2_000 + grown('steps') * 200);
  expect(grown('bufferBytes') / joins).toBeLessThan(1_000);
}, 240_000);

test('workers that compute join and leave: nothing of their threads stays', async () => {
  await using run = await startSmallRun({ ...smallRecipe, epochs: 1_000_000 }, undefined, {
    keeps: ({ type }) => type !== 'step' && type !== 'epoch',
  });
  run.work({ name: 'ada', onEvent: () => undefined });
  const stay = async (name: string): Promise<void> => {
    const leaving = new AbortController();
    const { outcome, events } = run.work({ name, signal: leaving.signal });
    await vi.waitUntil(() => events.some(({ type }) => type === 'computed'), { timeout: 60_000 });
    leaving.abort('enough');
    expect(await outcome).toMatchObject({ outcome: 'left' });
  };
  await stay('bob-0');
  const before = await measure(run, 1);
  for (let n = 1; n <= 8; n += 1) await stay(`bob-${n}`);
  const after = await measure(run, 1);
  expect(after.descriptors).toBeLessThanOrEqual(before.descriptors);
  expect(after.bufferBytes - before.bufferBytes).toBeLessThan(1_000_000);
}, 240_000);

test('models that are opened and closed a hundred times leave no tensor behind, and the heap of the kernels as it is', async () => {
  await prepareBackend('wasm');
  const recipes = [smallRecipe, { ...smallRecipe, shards: 3, batchSize: 50 }];
  const open = async (n: number): Promise<void> => {
    const trainer = createTrainer({ recipe: recipes[n % 2] ?? smallRecipe });
    await probeHash(trainer);
    trainer.dispose();
  };
  for (let n = 0; n < 10; n += 1) await open(n);
  const before = memory();
  for (let n = 0; n < 100; n += 1) await open(n);
  const after = memory();
  expect([after.numTensors, after.numBytes]).toEqual([before.numTensors, before.numBytes]);
});
