import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { statisticsOf } from '@gradwire/coordinator';
import { decodeMessage, encodeMessage, messageLimits } from '@gradwire/protocol';
import type { Recipe } from '@gradwire/recipes';
import type { Channel } from '@gradwire/transport';
import { openBench } from '@gradwire/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openRun } from './open-run.ts';
import { type Replay, replayStep, type ReplayQuestion } from './replay-step.ts';
import { smallData, smallRecipe, trainSmall } from './test-support.ts';

let folder: string;
let whole: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gradwire-replay-'));
  whole = (await trainSmall(join(folder, 'runs'))).summary.directory;
});
afterAll(() => rm(folder, { recursive: true }));

async function replay(directory: string, question: ReplayQuestion, data = smallData): Promise<Replay> {
  const run = await openRun(directory);
  const { recipe } = run;
  const statistics = statisticsOf(recipe, data.train);
  await using bench = await openBench({ backend: 'wasm', threads: 2, recipe, statistics, data });
  return await replayStep({ run, data, bench }, question);
}

const sumsOf = ({ contributions }: Replay): string[][] => [
  contributions.map(({ sum }) => sum),
  contributions.map(({ computed }) => computed),
];

/** A copy of the run whose ledger was changed, line by line. */
async function tampered(name: string, change: (line: string, step: number) => string): Promise<string> {
  const copy = join(folder, name);
  await cp(whole, copy, { recursive: true });
  const path = join(copy, 'ledger.jsonl');
  const lines = (await readFile(path, 'utf8')).split('\n');
  await writeFile(path, lines.map((line, i) => change(line, i + 1)).join('\n'));
  return copy;
}

const otherDigit = (digit: string): string => (digit === '0' ? '1' : '0');

test.each([1, 5, 22, 42])('step %i of an honest run is as recorded, for each of its shards', async (step) => {
  for (const shard of step === 42 ? [undefined] : [0, 6]) {
    const found = await replay(whole, { step, shard });
    expect(found).toMatchObject({ step, isDeadEnd: false, notes: [] });
    const [recorded, computed] = sumsOf(found);
    expect(recorded).toEqual(computed);
    expect(recorded?.length).toBeGreaterThan(0);
  }
});

test.each<[string, Partial<Recipe>]>([
  ['a lossy codec', { codec: { gradients: { type: 'int8', shards: 4 } } }],
  [
    'batch normalisation and a lossy codec',
    {
      model: {
        ...smallRecipe.model,
        layers: [{ type: 'flatten' }, { type: 'batchNormalization' }, { type: 'dense', units: 3 }],
      },
      codec: { gradients: { type: 'int8', shards: 4 } },
    },
  ],
  ['weights in a codec', { codec: { weights: 'bfloat16' } }],
  ['local steps', { strategy: { type: 'diloco', localSteps: 3 } }],
  ['held-out samples', { validationShare: 0.2 }],
])('a run with %s is replayed too', async (name, more) => {
  const { summary } = await trainSmall(join(folder, name), { ...smallRecipe, ...more });
  const found = await replay(summary.directory, { step: summary.steps });
  expect(found).toMatchObject({ step: summary.steps, isDeadEnd: false });
  const [recorded, computed] = sumsOf(found);
  expect(recorded).toEqual(computed);
});

test('steps with error feedback are replayed too, also where the way to them ends', async () => {
  const codec: Recipe['codec'] = {
    gradients: { type: 'top-k', shards: 2, share: 0.1, feedbackSteps: 4 },
    weights: 'bfloat16',
  };
  const { summary } = await trainSmall(join(folder, 'feedback'), { ...smallRecipe, codec });
  // Snapshots would shorten the way.
  await rm(join(summary.directory, 'snapshots'), { recursive: true, force: true });
  for (const step of [1, 7, 8, 20, 21, 42]) {
    const found = await replay(summary.directory, { step });
    expect(found).toMatchObject({ step, isDeadEnd: false, notes: [] });
    const [recorded, computed] = sumsOf(found);
    expect(recorded).toEqual(computed);
  }
  const path = join(summary.directory, 'ledger.jsonl');
  const lines = (await readFile(path, 'utf8')).split('\n');
  const changed = lines.map((line, i) =>
    i === 6 ? line.replace(/"weights":"(.)/, (_, digit: string) => `"weights":"${otherDigit(digit)}`) : line,
  );
  await writeFile(path, changed.join('\n'));
  const found = await replay(summary.directory, { step: 12 });
  expect(found).toMatchObject({ step: 7, isDeadEnd: true });
  const [recorded, computed] = sumsOf(found);
  expect(recorded).toEqual(computed);
});

test('a sum that was changed in the ledger differs, and the broken chain is named', async () => {
  const copy = await tampered('sum', (line, step) =>
    step === 7 ? line.replace(/"sum":"(.)/, (_, digit: string) => `"sum":"${otherDigit(digit)}`) : line,
  );
  const found = await replay(copy, { step: 7, shard: 0 });
  expect(found).toMatchObject({ step: 7, isDeadEnd: false, contributions: [{ worker: 'local', lo: 0 }] });
  const [recorded, computed] = sumsOf(found);
  expect(recorded).not.toEqual(computed);
  expect(found.notes).toEqual([expect.stringContaining('line 7 (step 7): the chain is broken')]);
});

test('the contribution of a worker that lied once is named, also from a later step', async () => {
  const limits = messageLimits({ role: 'worker', parameters: 51, classes: 3 });
  const lie = (channel: Channel): Channel => ({
    ...channel,
    send(frame) {
      const bytes = frame instanceof Uint8Array ? frame : Buffer.concat(frame);
      const message = decodeMessage(bytes, limits);
      if (message.type !== 'partial' || message.round !== 4) return channel.send(frame);
      message.gradient[7] = 1;
      channel.send(encodeMessage(message));
    },
  });
  const { summary } = await trainSmall(join(folder, 'liar'), smallRecipe, lie);
  // A later one would not lead through step 5.
  await rm(join(summary.directory, 'snapshots'), { recursive: true, force: true });
  for (const step of [5, 11]) {
    const found = await replay(summary.directory, { step });
    expect(found).toMatchObject({ step: 5, isDeadEnd: step !== 5, notes: [] });
    const [recorded, computed] = sumsOf(found);
    expect(recorded).not.toEqual(computed);
    expect(found.contributions.map(({ worker }) => worker)).toContain('local');
  }
});

test('where the way to the step ends, that step is named', async () => {
  const copy = await tampered('weights', (line, step) =>
    step === 4
      ? line.replace(/"weights":"(.)/, (_, digit: string) => `"weights":"${otherDigit(digit)}`)
      : line,
  );
  const found = await replay(copy, { step: 9, shard: 2 });
  expect(found).toMatchObject({ step: 4, isDeadEnd: true });
  const [recorded, computed] = sumsOf(found);
  expect(recorded).toEqual(computed);
});

test('a damaged line on the way accuses nobody: lines are found by their step', async () => {
  const copy = await tampered('damaged', (line, step) => (step === 5 ? 'garbage' : line));
  for (const [step, isKnownStart] of [
    [6, false],
    [7, true],
    [22, true],
  ] as const) {
    const found = await replay(copy, { step });
    expect(found).toMatchObject({ step, isDeadEnd: false, isKnownStart });
    const [recorded, computed] = sumsOf(found);
    expect(recorded).toEqual(computed);
    expect(found.notes).toEqual(
      expect.arrayContaining([
        expect.stringContaining('line 5: expected a step'),
        ...(found.from < 5 ? [expect.stringContaining('the ledger has no step 5: ')] : []),
      ]),
    );
  }
});

test.each([
  ['on the way, before the next step', 3, 3],
  ['in the step that was asked for, without an answer', 10, 9],
])('a signal ends it: %s', async (_, stopAt, step) => {
  let computed = 0;
  const run = await openRun(whole);
  const { recipe } = run;
  const statistics = statisticsOf(recipe, smallData.train);
  await using bench = await openBench({ backend: 'wasm', threads: 1, recipe, statistics, data: smallData });
  const stop = new AbortController();
  const counted: typeof bench = {
    ...bench,
    setWeights(weights) {
      computed += 1;
      if (computed === stopAt) stop.abort();
      bench.setWeights(weights);
    },
  };
  const { signal } = stop;
  await expect(
    replayStep({ run, data: smallData, bench: counted, signal }, { step: 10 }),
  ).rejects.toMatchObject({ code: 'CANCELLED', message: `stopped after step ${step}` });
  expect(computed).toBe(stopAt);
});

const refused = (directory: string, question: ReplayQuestion): Promise<unknown> =>
  replay(directory, question).catch((error: unknown) => error);

test('what cannot be replayed is refused', async () => {
  const code = 'OPTION_INVALID';
  expect(await refused(whole, { step: 43 })).toMatchObject({
    code,
    message: expect.stringMatching(/42 steps, but not step 43/) as string,
  });
  expect(await refused(whole, { step: 1, shard: 7 })).toMatchObject({
    code,
    message: expect.stringMatching(/not one of the 7/) as string,
  });
  // The last batch of an epoch has 3 samples.
  const last = (await openRun(whole)).ledger.lines[20];
  const covered = (shard: number): boolean =>
    last?.contributions.some(({ lo, hi }) => lo <= shard && shard < hi) ?? false;
  const absent = [0, 1, 2, 3, 4, 5, 6].find((shard) => !covered(shard));
  expect(await refused(whole, { step: 21, shard: absent })).toMatchObject({
    code,
    message: expect.stringMatching(/no samples/) as string,
  });
  const foreign = await tampered('class', (line, step) =>
    step === 3 ? line.replace(/"numericsClass":"wasm/, '"numericsClass":"native') : line,
  );
  expect(await refused(foreign, { step: 3 })).toMatchObject({
    code,
    hint: expect.stringMatching(/--backend native/) as string,
  });
  expect(await refused(foreign, { step: 5 })).toMatchObject({
    code,
    message: expect.stringMatching(/in step 3 as native-/) as string,
  });
  const { summary } = await trainSmall(join(folder, 'asynchronous'), {
    ...smallRecipe,
    strategy: { type: 'asynchronous', maxStaleness: 1 },
  });
  expect(await refused(summary.directory, { step: 2 })).toMatchObject({
    code,
    message: expect.stringMatching(/asynchronously/) as string,
  });
});
