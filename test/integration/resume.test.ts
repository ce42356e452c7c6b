import { appendFile, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CoordinatorEvent, RunResult } from '@gradwire/coordinator';
import { type Recipe, withOverrides } from '@gradwire/recipes';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { smallData, smallRecipe, type SmallRun, startSmallRun } from '../harness/small-run.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../harness/temporary-folder.ts';

let root: TemporaryFolder;
let calm: RunResult;
const totalSteps = 22;

beforeAll(async () => {
  await using run = await startSmallRun();
  run.work();
  calm = await run.coordinator.done;
  expect(calm.summary.steps).toBe(totalSteps);
});
beforeEach(async () => {
  root = await createTemporaryFolder();
});
afterEach(() => root[Symbol.asyncDispose]());

const stepOf = (event: CoordinatorEvent): number => (event.type === 'step' ? event.record.step : -1);

/** Starts a run, and stops it in order once so many steps are committed. */
async function interrupted(
  step: number,
  options: { readonly resume?: SmallRun; readonly recipe?: Recipe } = {},
): Promise<SmallRun> {
  const run = await start(options.resume, options.recipe);
  run.work();
  await run.event((event) => stepOf(event) >= step);
  run.coordinator.stop();
  expect((await run.coordinator.done).outcome).toBe('stopped');
  await run[Symbol.asyncDispose]();
  return run;
}

function start(resume?: SmallRun, recipe = smallRecipe): Promise<SmallRun> {
  const more = resume ? { resume: resume.folder } : {};
  return startSmallRun(recipe, smallData(), { root: root.path, snapshotEvery: 4, ...more });
}

/** Resumes, works to the end, and compares everything with the calm run. */
async function expectCalmEnd(before: SmallRun): Promise<SmallRun> {
  await using run = await start(before);
  run.work();
  const { outcome, summary, curve } = await run.coordinator.done;
  const { steps, epochs, samplesSeen, weightsSha256, testAccuracy, testLoss } = calm.summary;
  expect({ outcome, summary, curve }).toMatchObject({
    outcome: 'finished',
    summary: { steps, epochs, samplesSeen, weightsSha256, testAccuracy, testLoss, exact: true },
    curve: calm.curve,
  });
  const lines = async (name: string): Promise<string[]> =>
    (await readFile(join(run.directory, name), 'utf8')).trimEnd().split('\n');
  expect((await lines('ledger.jsonl')).length).toBe(totalSteps);
  const metrics = (await lines('metrics.jsonl')).map(
    (line) => JSON.parse(line) as { type: string; step: number },
  );
  expect(metrics.filter(({ type }) => type === 'step').map(({ step }) => step)).toEqual(
    Array.from({ length: totalSteps }, (_, index) => index + 1),
  );
  expect(metrics.filter(({ type }) => type !== 'step').map(({ type }) => type)).toEqual(
    Array.from({ length: 2 }, () => ['epoch', 'evaluation']).flat(),
  );
  return run;
}

const snapshotsOf = async ({ directory }: SmallRun): Promise<string[]> =>
  (await readdir(join(directory, 'snapshots'))).sort().map((name) => join(directory, 'snapshots', name));

const problemsOf = ({ events }: SmallRun): string[] =>
  events.flatMap((event) => (event.type === 'problem' ? [event.message] : []));

test('a run that was stopped four times ends as a calm one: weights, curve, metrics, ledger, summary', async () => {
  let run = await interrupted(1);
  for (const step of [6, 11, 17]) run = await interrupted(step, { resume: run });
  const last = await expectCalmEnd(run);
  expect(last.events.find(({ type }) => type === 'resumed')).toMatchObject({ term: 5 });
  // The last three, and the best.
  expect((await snapshotsOf(last)).length).toBeLessThanOrEqual(4);
});

test.each([
  ['truncated', (path: string) => truncate(path, 100)],
  ['empty', (path: string) => truncate(path, 0)],
  [
    'changed by one bit',
    async (path: string): Promise<void> => {
      const bytes = await readFile(path);
      bytes[bytes.length - 5]! ^= 4;
      await writeFile(path, bytes);
    },
  ],
])('a snapshot that is %s is named and set aside, and the one before it used', async (_, damage) => {
  const run = await interrupted(14);
  const paths = await snapshotsOf(run);
  const [newest = '', before = ''] = paths.toReversed();
  await damage(newest);
  await using again = await start(run);
  expect(problemsOf(again)).toEqual([expect.stringContaining(newest)]);
  const step = Number(/(\d+)\.safetensors/.exec(before)?.[1]);
  expect(again.events.find(({ type }) => type === 'resumed')).toMatchObject({ step });
  expect(await readdir(join(run.directory, 'snapshots'))).toContain(`${newest.split('/').at(-1)}.damaged`);
  again.work();
  expect((await again.coordinator.done).summary.weightsSha256).toBe(calm.summary.weightsSha256);
});

test('where all snapshots are damaged, nothing is begun anew without a word', async () => {
  const run = await interrupted(9);
  for (const path of await snapshotsOf(run)) await truncate(path, 9);
  await expect(start(run)).rejects.toMatchObject({
    code: 'FILE_CORRUPT',
    message: expect.stringContaining('no snapshot that can be used'),
  });
});

test('scenario 5: crashed several times in a row while it recovers, with a torn tail each time', async () => {
  const run = await interrupted(10);
  for (const torn of ['{"type":"st', '\u0000\u0000\u0000', '{"type":"step","step":99}\n{"x']) {
    for (const name of ['metrics.jsonl', 'ledger.jsonl']) await appendFile(join(run.directory, name), torn);
    const weak = await start(run);
    // Gone before a worker came.
    weak.coordinator.fail({ code: 'INTERNAL', message: 'crash' });
    await weak[Symbol.asyncDispose]();
  }
  await expectCalmEnd(run);
});

test('scenario 5: a good line after a bad one is refused, not cut off', async () => {
  const run = await interrupted(10);
  await appendFile(join(run.directory, 'ledger.jsonl'), '{"step":11,"contr\n{"step":12}\n');
  await expect(start(run)).rejects.toMatchObject({
    code: 'FILE_CORRUPT',
    message: expect.stringContaining('ledger.jsonl: expected a line of JSON at byte'),
  });
});

test('other data, or another recipe.json, is refused', async () => {
  const run = await interrupted(6);
  const options = { root: root.path, resume: run.folder };
  await expect(startSmallRun(smallRecipe, smallData(204), options)).rejects.toMatchObject({
    code: 'DATA_MISMATCH',
  });
  const other = withOverrides(smallRecipe, { seed: 4 });
  await expect(startSmallRun(other, smallData(), options)).rejects.toMatchObject({ code: 'RECIPE_MISMATCH' });
  await expectCalmEnd(run);
});

test('scenario 4: two coordinators on one run directory: the older stops by itself, and its lines go nowhere', async () => {
  // Long enough for the second to be there before the first has ended.
  const long = { ...smallRecipe, epochs: 20 };
  await using undisturbed = await start(undefined, long);
  undisturbed.work();
  const { weightsSha256 } = (await undisturbed.coordinator.done).summary;
  await using first = await start(undefined, long);
  first.work();
  await first.event((event) => stepOf(event) >= 5);
  await using second = await start(first, long);
  await expect(first.coordinator.done).rejects.toMatchObject({
    code: 'RUN_TAKEN',
    message: expect.stringContaining('taken over by coordinator 2; this was 1'),
  });
  second.work();
  const { summary } = await second.coordinator.done;
  expect(summary).toMatchObject({ outcome: 'finished', weightsSha256 });
  const ledger = await readFile(join(second.directory, 'ledger.jsonl'), 'utf8');
  expect(
    ledger
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { step: number }).step),
  ).toEqual(Array.from({ length: 10 * totalSteps }, (_, index) => index + 1));
});

test('a snapshot that cannot be written is told, and the run goes on', async () => {
  await using run = await start();
  // A file where the folder should be.
  await writeFile(join(run.directory, 'snapshots'), '');
  run.work();
  const { summary } = await run.coordinator.done;
  expect(summary).toMatchObject({ outcome: 'finished', weightsSha256: calm.summary.weightsSha256 });
  expect(problemsOf(run)[0]).toMatch(
    /^no snapshot of step 4, the run goes on \(there is none yet\): .*snapshots/,
  );
});

test('an asynchronous run goes on where its last epoch ended', async () => {
  const recipe = { ...smallRecipe, epochs: 3, strategy: { type: 'asynchronous', maxStaleness: 2 } } as const;
  const run = await interrupted(15, { recipe });
  await using again = await start(run, recipe);
  expect(again.events.find(({ type }) => type === 'resumed')).toMatchObject({ step: 11 });
  again.work();
  expect((await again.coordinator.done).summary).toMatchObject({
    outcome: 'finished',
    steps: 33,
    samplesSeen: 609,
  });
});
