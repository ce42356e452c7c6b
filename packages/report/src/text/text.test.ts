import { expect, test } from 'vitest';
import { classificationReport } from '../figures/classification.ts';
import { formatClassification } from './classification.ts';
import { type Colors, plainColors } from './colors.ts';
import { formatConfusion } from './confusion.ts';
import { formatBytes, formatCount, formatDuration, formatLoss, formatPercent } from './format.ts';
import { nextCommands } from './next-commands.ts';
import { formatProgress, type Progress } from './progress-line.ts';
import { sparkLine } from './spark-line.ts';

test.each([
  [0, '0.0 s'],
  [59.94, '59.9 s'],
  [59.96, '1 min 00 s'],
  [125, '2 min 05 s'],
  [3599.6, '1 h 00 min'],
  [7380, '2 h 03 min'],
  [86_399, '1 d 00 h'],
  [273_600, '3 d 04 h'],
  [Infinity, '?'],
  [Number.NaN, '?'],
  [-1, '?'],
])('%d seconds are %s', (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

test('counts, bytes, shares and losses', () => {
  expect([0, 999, 60_000, 1234567.6, Number.NaN].map(formatCount)).toEqual([
    '0',
    '999',
    '60,000',
    '1,234,568',
    '?',
  ]);
  expect([0, 999, 1000, 11_594_722, 999_949, 999_950].map(formatBytes)).toEqual([
    '0 B',
    '999 B',
    '1.0 kB',
    '11.6 MB',
    '999.9 kB',
    '1.0 MB',
  ]);
  expect([formatPercent(0.98923), formatPercent(1, 0), formatPercent(Number.NaN)]).toEqual([
    '98.92 %',
    '100 %',
    '?',
  ]);
  expect([2.30256, 0.0321, 1.23e-7, 0, Number.NaN].map(formatLoss)).toEqual([
    '2.303',
    '0.03210',
    '1.2e-7',
    '0.000',
    'NaN',
  ]);
});

test('a spark-line runs from low to high, is averaged to its width and survives odd values', () => {
  expect(sparkLine([0, 1, 2, 3, 4, 5, 6, 7])).toBe('▁▂▃▄▅▆▇█');
  expect(sparkLine([2.3, 0.9, 0.4, 0.2, 0.1])).toBe('█▄▂▁▁');
  expect(sparkLine([100, 10, 1], { scale: 'log' })).toBe('█▅▁');
  expect(
    sparkLine(
      Array.from({ length: 4690 }, (_, index) => index),
      { width: 8 },
    ),
  ).toBe('▁▂▃▄▅▆▇█');
  expect(sparkLine([5, 5])).toBe('▄▄');
  expect(sparkLine([0, Number.NaN, 1])).toBe('▁ █');
  expect(sparkLine([])).toBe('');
  expect(sparkLine([Number.NaN])).toBe(' ');
});

/** Marks colours, so that a test sees what is painted. */
const marks: Colors = { ...plainColors, green: (text) => `<${text}>`, red: (text) => `[${text}]` };

test('a confusion matrix is aligned, rows actual, columns predicted', () => {
  const matrix = [
    [980, 0, 2],
    [13, 7, 0],
    [0, 0, 0],
  ];
  expect(formatConfusion(matrix, ['cat', 'dog', 'a very long name'])).toBe(
    [
      '                      predicted',
      'actual        cat  dog  a very long…',
      'cat           980    ·             2',
      'dog            13    7             ·',
      'a very long…    ·    ·             0',
    ]
      .map((line, index) => (index === 0 ? 'predicted'.padStart(36) : line))
      .join('\n'),
  );
  expect(formatConfusion(matrix, ['a', 'b', 'c'], { colors: marks }).split('\n')[3]).toBe(
    'b       [ 13]  <7>  ·',
  );
  expect(() => formatConfusion([[1, 2]], ['a'])).toThrow(RangeError);
});

test('scores are aligned, with their mean', () => {
  const text = formatClassification(
    classificationReport(
      [
        [9, 1],
        [2, 1008],
      ],
      ['cat', 'dog'],
    ),
  );
  expect(text).toBe(
    [
      'class  precision   recall       F1  samples',
      'cat      81.82 %  90.00 %  85.71 %       10',
      'dog      99.90 %  99.80 %  99.85 %    1,010',
      'mean     90.86 %  94.90 %  92.78 %    1,020',
    ].join('\n'),
  );
});

const progress: Progress = {
  epoch: 3,
  epochs: 10,
  step: 1234,
  totalSteps: 4690,
  loss: 0.1234,
  accuracy: 0.965,
  samplesPerSecond: 3210,
  secondsLeft: 125,
  workers: 1,
};

test('the progress line shows everything where there is room', () => {
  expect(formatProgress(progress, { width: 140 })).toBe(
    'epoch 3/10  ━━━━━━━━──────────────────────  step 1,234/4,690  loss 0.1234  accuracy 96.50 %  ' +
      '3,210 samples/s  2 min 05 s left  1 worker',
  );
});

test('the progress line always fits, coloured or not, and keeps what matters most', () => {
  for (let width = 1; width < 200; width++) {
    const line = formatProgress(progress, { width });
    expect(line.length).toBeLessThan(width);
    if (width > 28) expect(line).toMatch(/^epoch 3\/10 .*loss 0\.1234/);
    const colored = formatProgress(progress, { width, colors: marks });
    expect(colored.replaceAll(/[<>]/g, '')).toBe(line);
  }
  const unknown = {
    ...progress,
    secondsLeft: Infinity,
    samplesPerSecond: Number.NaN,
    step: 0,
    totalSteps: 0,
  };
  expect(formatProgress(unknown, { width: 140 })).toContain('? samples/s  ? left');
});

test('the next commands can be pasted into a shell', () => {
  expect(nextCommands('runs/0001-mnist-cnn').map(({ command }) => command)).toEqual([
    'gradwire evaluate runs/0001-mnist-cnn',
    'gradwire predict runs/0001-mnist-cnn image.png',
    'gradwire train --recipe runs/0001-mnist-cnn/recipe.json',
  ]);
  expect(nextCommands("/a b/it's", { program: 'pnpm gradwire' })[0]?.command).toBe(
    "pnpm gradwire evaluate '/a b/it'\\''s'",
  );
  expect(nextCommands('r', { repeat: ['--backend', 'wasm'] })[2]?.command).toBe(
    'gradwire train --recipe r/recipe.json --backend wasm',
  );
});
