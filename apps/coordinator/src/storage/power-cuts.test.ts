import { setImmediate as noted } from 'node:timers/promises';
import { createDisk, createDraws } from '@gradwire/simulator';
import { expect, test } from 'vitest';
import { createWorld, type World } from './test-support.ts';
import { filesOn, type SimulatedFiles } from './files-on-disk.ts';

const folder = '/run';

/** What a run with power cuts leaves behind. */
interface Outcome {
  readonly operations: number;
  readonly cuts: number;
  readonly weights: Float32Array;
  readonly lines: readonly (readonly number[])[];
}

/** The coordinator's own files and engine on a simulated disk, started again after each cut, to the end of the run. */
async function runWithCuts(
  seed: number,
  { killAt, cutAt = [] }: { readonly killAt?: number; readonly cutAt?: readonly number[] },
): Promise<Outcome> {
  const disk = createDisk(createDraws(seed, 'disk'), cutAt);
  // Before the operation of this number, from 1.
  if (killAt !== undefined) disk.interruptAfter(killAt - 1, 'killed');
  let cuts = 0;
  /** Steps that were said to be safe: by a snapshot, or by a run that went on after them. */
  let promised = 0;
  for (;;) {
    const files = filesOn(disk, folder);
    const resume = disk.has('recipe.json');
    const world = await createWorld(folder, { resume, files }).catch((error: unknown) => {
      if (!files.end) throw error;
    });
    if (world) {
      if (world.storage.recorder.steps < promised) throw new Error(`${promised} steps were promised`);
      promised = Math.max(world.storage.recorder.steps, await live(world, files));
      if (!files.end) {
        const weights = world.run.engine.weights();
        return { operations: disk.operations, cuts, weights, lines: linesOn(disk.peek) };
      }
    }
    if (files.end === 'power cut') disk.losePower();
    cuts += 1;
  }
}

/** Until the end or the power cut. Resolves to the steps of the newest snapshot. */
async function live({ go, ends, events, snapshots, storage }: World, files: SimulatedFiles): Promise<number> {
  while (ends.length === 0 && !files.end) {
    go(1);
    // What is written down, and the snapshot that it makes due.
    await noted();
    await snapshots.settled();
  }
  storage.claim.close();
  await storage.recorder.close().catch((error: unknown) => {
    if (!files.end) throw error;
  });
  const problems = events.filter(({ type }) => type === 'problem');
  if (!files.end && problems.length > 0) throw new Error(JSON.stringify(problems));
  return Math.max(0, ...events.flatMap((event) => (event.type === 'snapshot' ? [event.step] : [])));
}

const linesOn = (peek: (name: string) => string): number[][] =>
  ['metrics.jsonl', 'ledger.jsonl'].map((name) =>
    peek(name)
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type?: string; step: number })
      .filter(({ type = 'step' }) => type === 'step')
      .map(({ step }) => step),
  );

test('scenario 2, real files: the process or the power may end before every disk operation, and the power again while it recovers', async () => {
  const calm = await runWithCuts(0, {});
  expect(calm.operations).toBeGreaterThan(50);
  const check = async (seed: number, ends: Parameters<typeof runWithCuts>[1]): Promise<void> => {
    const where = JSON.stringify(ends);
    const { cuts, weights, lines } = await runWithCuts(seed, ends).catch((error: unknown) => {
      throw new Error(where, { cause: error });
    });
    expect(cuts, where).toBeGreaterThan(0);
    expect(lines, where).toEqual(calm.lines);
    expect(weights, where).toEqual(calm.weights);
  };
  for (let first = 1; first <= calm.operations; first += 1) {
    await check(first, { cutAt: [first] });
    // Neighbours between them take every operation of a recovery, which has less than fifty.
    for (let more = 1 + (first % 5); more <= 50; more += 5) {
      await check(first, { cutAt: [first, first + more] });
      await check(first, { killAt: first, cutAt: [first + more] });
    }
  }
}, 240_000);
