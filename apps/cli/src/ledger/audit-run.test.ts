import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chainEntry, type LedgerLine, parseLedger } from '@gradwire/checkpoint';
import { statisticsOf } from '@gradwire/coordinator';
import { trainingIndices } from '@gradwire/data';
import { type Recipe, recipeHash } from '@gradwire/recipes';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditSummary } from './audit-summary.ts';
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
  const run = await openRun(directory);
  const { seed, validationShare = 0 } = run.recipe;
  const { train } = smallData;
  const { training } = trainingIndices(train.count, { validationShare, seed });
  const data = { classNames: train.classNames, statistics: statisticsOf(run.recipe, train) };
  return auditRun(run, training.length, data);
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

test.each<[string, Partial<Recipe>]>([
  ['a lossy codec', { codec: { gradients: { type: 'int8', shards: 4 } } }],
  [
    'error feedback',
    {
      codec: {
        gradients: { type: 'top-k', shards: 2, share: 0.1, feedbackSteps: 4 },
        weights: 'bfloat16',
      },
    },
  ],
  ['DiLoCo', { strategy: { type: 'diloco', localSteps: 3 } }],
  ['local SGD', { strategy: { type: 'local-sgd', localSteps: 4 } }],
  ['held-out samples', { validationShare: 0.2 }],
  [
    'a binary task',
    {
      task: { type: 'binary', positive: [1] },
      model: { ...smallRecipe.model, layers: [{ type: 'flatten' }, { type: 'dense', units: 1 }] },
    },
  ],
])('an undisturbed run with %s is clean', async (name, more) => {
  const { summary } = await trainSmall(join(folder, name), { ...smallRecipe, ...more });
  expect(summary.outcome).toBe('finished');
  expect((await auditAt(summary.directory)).problems).toEqual([]);
});

test('a run that failed is clean', async () => {
  // The first step leaves weights that are still finite.
  const schedule = { type: 'constant', learningRate: 2e38 } as const;
  const { summary } = await trainSmall(join(folder, 'failed'), { ...smallRecipe, schedule });
  expect(summary).toMatchObject({ outcome: 'failed', testAccuracy: null });
  expect(summary.steps).toBeGreaterThan(0);
  expect((await auditAt(summary.directory)).problems).toEqual([]);
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

test.each([
  ['summary.json', /(?<="recipe": ")\w+/, 'large', 'summary.json: expected recipe "small" from the recipe'],
  ['summary.json', /(?<="seed": )\d+/, '4', 'summary.json: expected seed 3 from the recipe, found 4'],
  ['summary.json', /(?<="epochs": )\d+/, '9', 'summary.json: expected epochs 2 from the ledger, found 9'],
  ['summary.json', /(?<="exact": )true/, '"why"', 'summary.json: expected exact to be true, found "why"'],
  ['summary.json', /(?<="leases": )\d+/, '1', 'from the ledger, found 1'],
  ['summary.json', /(?<="name": ")local/, 'other', 'summary.json: expected no leases of other ('],
  ['summary.json', /(?<="testAccuracy": )[\d.]+/, '0.99', ' from the last test in the metrics, found 0.99'],
  ['summary.json', /(?<="testLoss": )[\d.]+/, '0.01', ' from the last test in the metrics, found 0.01'],
  ['summary.json', /(?<="confusion": \[\s+\[\s+)\d+/, '45', 'summary.json: expected confusion '],
  [
    'metrics.jsonl',
    /(?<="step":7,"epoch":1,"samples":)10/,
    '11',
    'step 7: expected 10 samples from the ledger',
  ],
  ['metrics.jsonl', /(?<="type":"epoch","epoch":1,"loss":)[\d.]+/, '0.01', 'epoch 1: expected loss '],
  ['metrics.jsonl', /(?<="step":7,.*"accuracy":)[\d.]+/, '0.99', 'epoch 1: expected accuracy '],
  [
    'metrics.jsonl',
    /(?<="split":"test",.*"accuracy":)[\d.]+/,
    '0.99',
    ' from its confusion matrix, found 0.99',
  ],
  [
    'metrics.jsonl',
    /(?<="split":"test",.*"samples":)45/,
    '46',
    'expected 45 samples from its confusion matrix',
  ],
  ['model/gradwire.json', /(?<="seed": )3/, '4', 'the model: expected seed 3 of the recipe, found 4'],
  ['model/gradwire.json', /(?<="classNames": \[\s+")a/, 'z', 'the model: expected classNames ["a","b","c"]'],
  ['model/gradwire.json', /(?<="mean": \[\s+)[\d.]+/, '0.5', 'the model: expected statistics '],
] as const)('what nobody trained is named: %s, %s, %s', async (file, pattern, value, problem) => {
  const problems = await auditDamaged(file, (text) => text.replace(pattern, value));
  expect(problems).toContainEqual(expect.stringContaining(problem));
});

test('workers of two numerics classes: the summary counts each, and the run is not exact', async () => {
  const run = await openRun(whole);
  const { summary } = run;
  const [local] = summary?.workers ?? [];
  if (!summary || !local) throw new Error('the run has a summary with a worker');
  const second = run.ledger.lines[1]?.contributions ?? [];
  const moved = second.reduce((sum, { lo, hi }) => sum + hi - lo, 0);
  const mixed = run.ledger.lines.map((line) =>
    line.step === 2
      ? { ...line, contributions: second.map((each) => ({ ...each, numericsClass: 'native-1' })) }
      : line,
  );
  const problemsOf = (more: object): string[] =>
    auditSummary(
      { ...run, ledger: { ...run.ledger, lines: mixed }, summary: { ...summary, ...more } },
      { samples: 406, steps: { stepsPerEpoch: 21, totalSteps: 42 }, metrics: [] },
    ).filter((problem) => !problem.includes('the last test'));
  const workers = [
    { ...local, leases: local.leases - moved },
    { ...local, numericsClass: 'native-1', leases: moved },
  ];
  expect(problemsOf({ workers, exact: 'workers of 2 numerics classes' })).toEqual([]);
  expect(problemsOf({ workers })).toEqual([
    'summary.json: expected exact to be why the run is not exact, found true',
  ]);
  expect(problemsOf({ exact: 'workers of 2 numerics classes' }).length).toBe(2);
});

test('values that no run writes are problems, not errors', async () => {
  const deep = `${'['.repeat(40)}${']'.repeat(40)}`;
  for (const name of ['confusion', 'workers', 'exact'])
    expect(
      await auditDamaged('summary.json', (text) => JSON.stringify({ ...JSON.parse(text), [name]: 0 })),
    ).not.toEqual([]);
  expect(
    await auditDamaged('summary.json', (text) => text.replace('"seed": 3', `"seed": ${deep}`)),
  ).not.toEqual([]);
  expect(
    await auditDamaged('summary.json', (text) =>
      text.replace(/"confusion": [^}]+?\],\n {2}"/, `"confusion": ${deep}, "`),
    ),
  ).not.toEqual([]);
  for (const line of ['null', '{"type":"evaluation"}', '{"type":"epoch","epoch":[]}'])
    expect(await auditDamaged('metrics.jsonl', (text) => `${text}${line}\n`)).not.toEqual([]);
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
