import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeDifference, verdictOf } from './describe-difference.ts';
import { diffRuns } from './diff-runs.ts';
import { type OpenRun, openRun } from './open-run.ts';
import { smallRecipe, trainSmall } from './test-support.ts';

let folder: string;
let one: OpenRun;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gradwire-diff-'));
  one = await run(smallRecipe);
});
afterAll(() => rm(folder, { recursive: true }));

async function run(recipe: typeof smallRecipe): Promise<OpenRun> {
  return openRun((await trainSmall(folder, recipe)).summary.directory);
}

/** The run with one line of its ledger as somebody else might have written it. */
function changed(step: number, change: (line: OpenRun['ledger']['lines'][number]) => object): OpenRun {
  const lines = one.ledger.lines.map((line) => (line.step === step ? { ...line, ...change(line) } : line));
  return { ...one, ledger: { ...one.ledger, lines } };
}

/** A copy of the run with other lines in its ledger's file. */
async function rewritten(change: (lines: string[]) => string[]): Promise<OpenRun> {
  const copy = join(await mkdtemp(join(folder, 'copy-')), '0001-small');
  await cp(one.directory.path, copy, { recursive: true });
  const path = join(copy, 'ledger.jsonl');
  const lines = (await readFile(path, 'utf8')).split('\n').slice(0, -1);
  await writeFile(
    path,
    change(lines)
      .map((line) => `${line}\n`)
      .join(''),
  );
  return openRun(copy);
}

test('two runs of one recipe are equal', async () => {
  const found = await diffRuns(one, await run(smallRecipe));
  expect(found).toEqual({ recipe: [], steps: [42, 42], common: 42, faults: [] });
  expect(verdictOf(found)).toBe('equal');
  expect(describeDifference(found)).toEqual([
    'no difference in 42 steps: the same weights after each of them',
  ]);
});

test('another seed: the setting, the first step, the first tensor', async () => {
  const found = await diffRuns(one, await run({ ...smallRecipe, seed: 4 }));
  expect(verdictOf(found)).toBe('different');
  expect(found).toMatchObject({
    recipe: ['seed: 3 and 4'],
    first: { step: 1 },
    tensor: { tensor: 'dense_1/kernel', elements: 48, size: 48, tensors: 2 },
  });
});

test('a rate that changes the updates, not the first gradients', async () => {
  const schedule = { type: 'constant', learningRate: 0.02 } as const;
  const found = await diffRuns(one, await run({ ...smallRecipe, schedule }));
  expect(found.recipe).toEqual(['schedule.learningRate: 0.01 and 0.02']);
  const lines = describeDifference(found);
  expect(lines[1]).toBe(
    'first difference: step 1: equal gradients, but other weights after it: the updates differ',
  );
});

test('a shorter run is equal as far as it goes, and not in length', async () => {
  const short = { ...one, ledger: { ...one.ledger, lines: one.ledger.lines.slice(0, 30) } };
  const found = await diffRuns(one, short);
  expect(found.first).toBeUndefined();
  expect(verdictOf(found)).toBe('different');
  expect(describeDifference(found).at(-1)).toBe('the one has 42 steps, the other 30');
});

test('a run that was cut short equals a longer one whose first steps are the same', async () => {
  const isCutShort = true;
  const short = { ...one, ledger: { ...one.ledger, lines: one.ledger.lines.slice(0, 30) } };
  const found = await diffRuns(short, one);
  expect(verdictOf(found, { isCutShort })).toBe('equal');
  expect(describeDifference(found, { isCutShort })).toEqual([
    'no difference in 30 steps: the same weights after each of them',
    "the one did not finish and ends after 30 steps: the other's 42 are compared up to there",
  ]);
  expect(verdictOf(await diffRuns(one, short), { isCutShort })).toBe('different');
  const other = changed(17, () => ({ weights: '0'.repeat(32) }));
  expect(verdictOf(await diffRuns(short, other), { isCutShort })).toBe('different');
  const empty = { ...one, ledger: { ...one.ledger, lines: [] } };
  expect(verdictOf(await diffRuns(empty, one), { isCutShort })).toBe('unproven');
});

test('a sum that differs names its step, shards and workers', async () => {
  const other = changed(17, ({ contributions }) => ({
    contributions: contributions.with(0, { ...contributions[0]!, sum: '0'.repeat(32) }),
  }));
  const { first } = await diffRuns(one, other);
  const { lo, hi } = one.ledger.lines[16]!.contributions[0]!;
  expect(first).toMatchObject({ step: 17, shards: { lo, hi }, isComparable: true });
  expect(first?.by?.[0]).toMatch(/^local \(wasm-/);
});

test('other weights after sums over other shards: the shards are not known', async () => {
  const other = changed(5, ({ contributions }) => ({
    contributions: contributions.map((each) => ({ ...each, lo: each.lo + 100, hi: each.hi + 100 })),
    weights: '0'.repeat(32),
  }));
  const found = await diffRuns(one, other);
  expect(found.first).toEqual({ step: 5, isComparable: false, isAfterGap: false });
  expect(describeDifference(found)[0]).toContain('which shards is not known');
});

test('a damaged line is a fault of its own: lines are compared by their step', async () => {
  const damaged = await rewritten((lines) => lines.with(4, 'garbage'));
  const found = await diffRuns(one, damaged);
  expect(found).toMatchObject({ steps: [42, 42], common: 41 });
  expect(found.first).toBeUndefined();
  expect(verdictOf(found)).toBe('unproven');
  const said = describeDifference(found);
  expect(said[0]).toMatch(/0001-small\/ledger\.jsonl, line 5: expected a step .*, found "garbage"$/);
  expect(said.at(-1)).toBe('no difference in 41 steps: the same weights after each of them');
});

test('what differs after a damaged line may have begun there', async () => {
  const damaged = await rewritten((lines) => lines.with(4, 'garbage'));
  const other = changed(8, () => ({ weights: '0'.repeat(32) }));
  const found = await diffRuns(damaged, other);
  expect(found.first).toMatchObject({ step: 8, isAfterGap: true });
  expect(describeDifference(found)).toContain(
    'it may have begun earlier: the ledgers do not both have every step before it',
  );
});

test.each<[string, (lines: string[]) => string[], RegExp]>([
  ['a line that is damaged in both', (lines) => lines.with(19, 'garbage'), /line 20: /],
  ['the last line, damaged in both', (lines) => lines.with(41, '{'), /line 42: /],
  [
    'a chain that is broken in both',
    (lines) => lines.with(6, (lines[6] ?? '').replace('"worker":"local"', '"worker":"other"')),
    /line 7 \(step 7\): the chain is broken/,
  ],
])('never equal: %s', async (_, change, fault) => {
  const found = await diffRuns(await rewritten(change), await rewritten(change));
  expect(verdictOf(found)).toBe('unproven');
  expect(found.faults.filter((text) => fault.test(text)).length).toBe(2);
});

test('never equal: two ledgers without a step', async () => {
  const found = await diffRuns(await rewritten(() => []), await rewritten(() => []));
  expect(verdictOf(found)).toBe('unproven');
  expect(describeDifference(found)).toEqual(['no step is in both ledgers: nothing was compared']);
});
