import type { Contribution } from '@gradwire/engine';
import { expect, test } from 'vitest';
import { chainEntry } from './ledger-line.ts';
import { parseLedger } from './parse-ledger.ts';

const first = 'f'.repeat(64);

function createText(steps: number): string {
  let chain = first;
  let text = '';
  for (let step = 1; step <= steps; step += 1) {
    const sum = `${step}`.padStart(32, '0');
    const contributions = [
      { worker: 'a', numericsClass: 'n', lo: 0, hi: 2, samples: 8, sum } as Contribution,
    ];
    const line = chainEntry(chain, { step, contributions, weights: sum });
    ({ chain } = line);
    text += `${JSON.stringify(line)}\n`;
  }
  return text;
}

const whole = createText(4);
const [one = '', two = '', three = '', four = ''] = whole.split('\n');

test('a whole ledger has no faults', () => {
  const { lines, faults, chain } = parseLedger(whole, first);
  expect(faults).toEqual([]);
  expect(lines.map(({ step }) => step)).toEqual([1, 2, 3, 4]);
  expect(whole.trimEnd().endsWith(`"chain":"${chain}"}`)).toBe(true);
  expect(parseLedger('', first)).toEqual({ lines: [], faults: [], chain: first });
});

test.each([
  ['a changed number', whole.replace('"samples":8', '"samples":9'), ['line 1 (step 1)']],
  ['a changed sum', [one, two.replace('"sum":"00', '"sum":"10'), three, four, ''], ['line 2 (step 2)']],
  ['another worker', [one, two, three.replace('"a"', '"b"'), four, ''], ['line 3 (step 3)']],
  ['a space', [one, two.replace(':', ': '), three, four, ''], ['line 2 (step 2)']],
  ['a line removed', [one, three, four, ''], ['line 2 (step 3)']],
  ['the first line removed', [two, three, four, ''], ['line 1 (step 2)']],
  ['a line twice', [one, two, two, three, four, ''], ['line 3 (step 2)']],
  ['lines exchanged', [one, three, two, four, ''], ['line 2', 'line 3', 'line 4']],
  ['the end torn off', [one, two, three.slice(0, 50)], ['line 3: the file ends within it']],
  ['a line feed missing', [one, two], ['line 2: the file ends within it']],
  ['bytes in a line', [one, 'x', three, four, ''], ['line 2: expected a step', 'line 3 (step 3)']],
  ['an empty line', [one, '', two, ''], ['line 2: expected a step']],
  ['a negative step', [one.replace('"step":1', '"step":-1'), ''], ['line 1: expected a step']],
  ['a sum that is none', [one.replace('"sum":"0', '"sum":"g'), ''], ['line 1: expected a step']],
] as const)('%s', (_, text, expected) => {
  const { faults } = parseLedger(typeof text === 'string' ? text : text.join('\n'), first);
  expect(faults.length, faults.join('\n')).toBe(expected.length);
  for (const [i, start] of expected.entries()) expect(faults[i]).toContain(start);
});

test('another recipe', () => {
  expect(parseLedger(whole, 'e'.repeat(64)).faults[0]).toContain('belongs to another recipe');
});
