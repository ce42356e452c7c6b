import { expect, test } from 'vitest';
import { formatEnd, nextCommands, renderHtmlReport, type RunReport, type Summary } from './index.ts';

const summary: Summary = {
  outcome: 'finished',
  recipe: 'mnist-is-seven',
  seed: 7,
  steps: 4690,
  epochs: 10,
  samplesSeen: 600_000,
  testAccuracy: 0.9891,
  testLoss: 0.0321,
  confusion: [
    [8950, 22],
    [87, 941],
  ],
  weightsSha256: 'ab'.repeat(32),
  ledgerChain: 'cd'.repeat(32),
  seconds: 412.4,
  samplesPerSecond: 1455,
  exact: true,
  workers: [
    { name: 'amber-fox', backend: 'wasm', numericsClass: 'cd'.repeat(32), leases: 30_000 },
    { name: 'quiet-owl', backend: 'wasm', numericsClass: 'cd'.repeat(32), leases: 7520 },
  ],
  backend: 'wasm',
  directory: 'runs/0001-mnist-is-seven',
};
const run: RunReport = {
  summary,
  curve: {
    loss: Array.from({ length: 4690 }, (_, step) => 2.3 / (1 + step / 10)),
    accuracy: Array.from({ length: 4690 }, (_, step) => 1 - 0.9 / (1 + step / 10)),
  },
  evaluations: [{ split: 'test', step: 4690, loss: 0.0321, accuracy: 0.9891 }],
  classNames: ['not 7', '7'],
};
const details = {
  classNames: run.classNames,
  curve: run.curve,
  files: ['runs/0001-mnist-is-seven/summary.json'],
  commands: nextCommands(summary.directory),
};

test('the end of a run is told completely', () => {
  const text = formatEnd(summary, details);
  for (const part of [
    '✓ mnist-is-seven finished in 6 min 52 s',
    'test accuracy  98.91 %',
    'test loss      0.03210',
    'train loss     █',
    '2.300 → 0.004895',
    '10.00 % → 99.81 %',
    '4,690 (10 whole epochs), seed 7',
    'amber-fox (wasm), 30,000 leases',
    `sha256 ${'ab'.repeat(32)}`,
    'not 7    8950   22',
    '7        97.72 %  91.54 %',
    'runs/0001-mnist-is-seven/summary.json',
    'evaluate  gradwire evaluate runs/0001-mnist-is-seven',
    'repeat    gradwire train --recipe runs/0001-mnist-is-seven/recipe.json',
  ]) {
    expect(text).toContain(part);
  }
  expect(text).not.toMatch(/undefined|NaN|null/);
  expect(text).not.toContain('\u001b');
});

test('a run that failed early says why and leaves out what it has not', () => {
  const failed: Summary = {
    ...summary,
    outcome: 'failed',
    failure: { code: 'NON_FINITE', message: 'Step 3, shard 2: NaN in dense/kernel' },
    testAccuracy: null,
    testLoss: null,
    confusion: null,
    exact: 'two numerics classes',
  };
  const empty = { ...details, curve: { loss: [], accuracy: [] }, files: [] };
  const text = formatEnd(failed, empty);
  expect(text).toContain(
    '✗ mnist-is-seven failed after 6 min 52 s\n  Step 3, shard 2: NaN in dense/kernel (NON_FINITE)',
  );
  expect(text).toContain('no: two numerics classes');
  expect(text).not.toMatch(/test accuracy|undefined|null|Files/);
  const page = renderHtmlReport({ ...run, ...empty, evaluations: [], summary: failed });
  expect(page).toContain('NON_FINITE');
  expect(page).not.toMatch(/undefined|>null|<svg|NaN<\//);
});

test('the page needs nothing from outside and shows every figure', () => {
  const page = renderHtmlReport(run);
  expect(page).not.toMatch(/<script|https?:|<link|url\(|@import|undefined|NaN|Infinity/);
  for (const part of ['98.91 %', '0.03210', '600,000', '6 min 52 s', '8,950', 'amber-fox', 'ab'.repeat(32)]) {
    expect(page).toContain(part);
  }
  expect(page.match(/<svg/g)).toHaveLength(2);
  expect(page.match(/<polyline class="training"/g)).toHaveLength(2);
  // 4,690 steps are averaged: the page stays small.
  expect(page.length).toBeLessThan(40_000);
});

test('every opened element is closed in order', () => {
  const open: string[] = [];
  for (const [, slash, name = '', rest = ''] of renderHtmlReport(run).matchAll(
    /<(\/?)([a-z1-6]+)([^>]*)>/g,
  )) {
    if (name === 'meta' || rest.endsWith('/')) continue;
    if (slash) expect(open.pop()).toBe(name);
    else open.push(name);
  }
  expect(open).toEqual([]);
});

test('texts from elsewhere cannot become markup', () => {
  const evil = `"><img src=x onerror='alert(1)'>&`;
  const worker = { name: evil, backend: evil, numericsClass: evil, leases: 1 };
  const texts = { recipe: evil, backend: evil, directory: evil, exact: evil, weightsSha256: evil };
  const failure = { code: evil, message: evil };
  const page = renderHtmlReport({
    ...run,
    summary: { ...summary, ...texts, failure, workers: [worker] },
    classNames: [evil, '7'],
  });
  expect(page).not.toContain('<img');
  expect(page).toContain('&quot;&gt;&lt;img src=x onerror=&#39;alert(1)&#39;&gt;&amp;');
});

test.each([
  ['one step', { loss: [2.3], accuracy: [0.1] }],
  ['a loss of 0', { loss: [0, 0], accuracy: [1, 1] }],
  ['a loss that becomes NaN', { loss: [1, Number.NaN, Infinity], accuracy: [0, 0, 0] }],
  ['a loss over many orders', { loss: [1e6, 1, 1e-12], accuracy: [0, 0.5, 1] }],
])('%s draws a page with finite coordinates', (_, curve) => {
  const page = renderHtmlReport({ ...run, curve, evaluations: [] });
  expect(page).not.toMatch(/NaN|Infinity/);
  expect(page).toMatch(/<polyline class="training"/);
});

test('a run of any length has a report, and so has one whose loss has left all bounds', () => {
  const loss = Array.from({ length: 300_000 }, (_, i) => 2 / (1 + i));
  for (const values of [loss, [1, 1.6e308, Infinity]]) {
    const page = renderHtmlReport({ ...run, curve: { loss: values, accuracy: values.map(() => 0.5) } });
    expect(page).toContain('</html>');
  }
});
