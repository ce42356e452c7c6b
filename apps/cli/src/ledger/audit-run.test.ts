import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chainEntry, type LedgerLine, parseLedger } from '@gradwire/checkpoint';
import { recipeHash } from '@gradwire/recipes';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditRun, type RunAudit } from './audit-run.ts';
import { openRun } from './open-run.ts';
import { smallData, smallRecipe, trainSmall } from './test-support.ts';

let folder: string;
let whole: string;
let lines: readonly LedgerLine[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gradwire-audit-'));
  whole = (await trainSmall(join(folder, 'runs'))).summary.directory;
  ({ lines } = (await openRun(whole)).ledger);
});
afterAll(() => rm(folder, { recursive: true }));

async function auditAt(directory: string): Promise<RunAudit> {
  return auditRun(await openRun(directory), smallData.train.count);
}

/** Audits a copy of the run in which one file is changed. */
async function auditDamaged(file: string, change: (text: string) => string): Promise<readonly string[]> {
  const copy = join(await mkdtemp(join(folder, 'damaged-')), '0001-small');
  await cp(whole, copy, { recursive: true });
  const path = join(copy, file);
  const before = await readFile(path, 'latin1');
  const after = change(before);
  expect(after).not.toBe(before);
  await writeFile(path, after, 'latin1');
  return (await auditAt(copy)).problems;
}

/** A forger's ledger: other lines, with a chain that is right. */
async function auditForged(
  forge: (lines: LedgerLine[]) => readonly LedgerLine[],
): Promise<readonly string[]> {
  const first = await recipeHash(smallRecipe);
  return auditDamaged('ledger.jsonl', () => {
    let chain = first;
    return forge([...lines])
      .map(({ step, batch, contributions, weights }) => {
        const place = batch === undefined ? {} : { batch };
        const line = chainEntry(chain, { step, ...place, contributions, weights });
        ({ chain } = line);
        return `${JSON.stringify(line)}\n`;
      })
      .join('');
  });
}

/** Changes the first contribution of a step. */
function changed(
  old: LedgerLine[],
  step: number,
  change: (contributions: LedgerLine['contributions']) => LedgerLine['contributions'],
): readonly LedgerLine[] {
  return old.map((line) =>
    line.step === step ? { ...line, contributions: change(line.contributions) } : line,
  );
}

test('an undisturbed run is clean', async () => {
  expect(await auditAt(whole)).toMatchObject({
    steps: 42,
    totalSteps: 42,
    samples: 406,
    wholeEpochs: 2,
    hasModel: true,
    chain: parseLedger(await readFile(join(whole, 'ledger.jsonl'), 'utf8'), await recipeHash(smallRecipe))
      .chain,
    problems: [],
  });
});

test('a run that stops in the middle of an epoch is clean too', async () => {
  const { summary } = await trainSmall(join(folder, 'short'), { ...smallRecipe, steps: 30 });
  expect(await auditAt(summary.directory)).toMatchObject({
    steps: 30,
    wholeEpochs: 1,
    samples: 293,
    problems: [],
  });
});

test('a copy with another name is clean: the recipe, the weights and the ledger tell what belongs together', async () => {
  const copy = join(folder, 'a copy');
  await cp(whole, copy, { recursive: true });
  const { snapshots, problems } = await auditAt(copy);
  expect(problems).toEqual([]);
  expect(snapshots).toBeGreaterThan(0);
});

test('asynchronous steps are used in any order, each once', async () => {
  const strategy = { type: 'asynchronous', maxStaleness: 2 } as const;
  const { summary } = await trainSmall(join(folder, 'asynchronous'), { ...smallRecipe, strategy });
  expect(await auditAt(summary.directory)).toMatchObject({ steps: 42, wholeEpochs: 2, problems: [] });
});

test.each([
  ['a bit of a sum', 'ledger.jsonl', /"sum":"./, '"sum":"g'],
  [
    'a digit of a sum',
    'ledger.jsonl',
    /"sum":"(.)/,
    (_: string, digit: string) => `"sum":"${digit === '0' ? 1 : 0}`,
  ],
  ['the name of a worker', 'ledger.jsonl', '"worker":"local"', '"worker":"other"'],
  ['the last line', 'ledger.jsonl', /\n[^\n]+\n$/, '\n'],
  ['the end of the last line', 'ledger.jsonl', /.{30}\n$/, ''],
  ['the first line', 'ledger.jsonl', /^[^\n]+\n/, ''],
  ['everything', 'ledger.jsonl', /^[^]+$/, ''],
  ['a step of the metrics', 'metrics.jsonl', /"type":"step","step":7,/, '"type":"step","step":6,'],
  ['a line of the metrics', 'metrics.jsonl', /\{"type":"step","step":9,[^\n]+\n/, ''],
  ['the seed of the recipe', 'recipe.json', '"seed": 3', '"seed": 4'],
  ['the hash of the summary', 'summary.json', /"weightsSha256": "..../, '"weightsSha256": "xxxx'],
  ['the chain of the summary', 'summary.json', /"ledgerChain": "..../, '"ledgerChain": "xxxx'],
  ['the samples of the summary', 'summary.json', '"samplesSeen": 406', '"samplesSeen": 407'],
  ['a weight', 'model/weights.bin', /.$/, (last: string) => (last === 'a' ? 'b' : 'a')],
] as const)('damage is found: %s', async (_, file, from, to) => {
  const problems = await auditDamaged(file, (text) => text.replace(from, to as string));
  expect(problems.length).toBeGreaterThan(0);
});

test('a forged chain does not help: what the lines say is wrong', async () => {
  const [lone] = lines[2]?.contributions ?? [];
  if (!lone) throw new Error('step 3 has a contribution');
  expect(
    await auditForged((old) => changed(old, 3, ([first, ...rest]) => (first ? [...rest] : []))),
  ).toContainEqual(expect.stringMatching(/^step 3: nobody's shard .* was used$/));
  expect(await auditForged((old) => changed(old, 3, (all) => [...all, lone]))).toEqual(
    expect.arrayContaining([
      `step 3: shard ${lone.lo} was used twice, from local and from local`,
      expect.stringMatching(/^epoch 1: used more than once: \d+ training samples? /),
    ]),
  );
  const miscounted = { ...lone, samples: lone.samples + 1 };
  expect(await auditForged((old) => changed(old, 3, ([, ...rest]) => [miscounted, ...rest]))).toContainEqual(
    `step 3, shards ${lone.lo} to ${lone.hi - 1} from local: expected ${lone.samples} samples, found ${lone.samples + 1}`,
  );
  const crooked = { ...lone, lo: 1, hi: 3 };
  expect(await auditForged((old) => changed(old, 3, () => [crooked]))).toContainEqual(
    'step 3, shards 1 to 2 from local: no node of the tree over 7 shards',
  );
  expect(await auditForged((old) => old.toSpliced(4, 1))).toContain('line 5: expected step 5, found step 6');
  expect(await auditForged((old) => old.toSpliced(4, 0, old[4] ?? lines[0]!))).toContain(
    'line 6: expected step 6, found step 5',
  );
  const weights = '0'.repeat(32);
  expect(await auditForged((old) => [...old.slice(0, -1), { ...old.at(-1)!, weights }])).toContainEqual(
    expect.stringMatching(/^the model: the ledger has weights with checksum 0+ after step 42, found /),
  );
});

test('a step that repeats the batch of another is found by its samples', async () => {
  const problems = await auditForged((old) =>
    old.map((line) => (line.step === 2 ? { ...line, batch: 0 } : line)),
  );
  expect(problems).toEqual(
    expect.arrayContaining(
      ['epoch 1: used more than once: 10 training samples', 'epoch 1: never used: 10 training samples'].map(
        (start) => expect.stringContaining(start) as string,
      ),
    ),
  );
});
