import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  closeCodes,
  decodeMessage,
  encodeMessage,
  maxParameters,
  messageLimits,
  protocolVersion,
} from './index.ts';
import { bounds, coordinatorMessageTypes, workerMessageTypes } from './limits.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

test('the example frame is what this package encodes and decodes', () => {
  const [, hex = ''] = /```hex\n([^`]+)```/.exec(readme) ?? [];
  const frame = Buffer.from(hex.replace(/\s/g, ''), 'hex');
  const message = {
    type: 'partial',
    term: 1,
    round: 3,
    lo: 0,
    hi: 2,
    samples: 32,
    computeMs: 1.5,
    gradient: Float32Array.of(1, -0, Number.NaN),
    metrics: Float64Array.of(2.5, 7),
  } as const;
  expect(Buffer.from(encodeMessage(message)).toString('hex')).toBe(frame.toString('hex'));
  expect(decodeMessage(frame, messageLimits({ role: 'worker', parameters: 3 }))).toEqual(message);
});

test('every close code is listed as it is', () => {
  const rows = [...readme.matchAll(/^\| (4\d{3}) \| `(\w+)` +\| (.+?) +\| (yes|no) +\|$/gm)];
  const listed = rows.map(([, code, name, sentence, again]) => [
    name,
    Number(code),
    sentence,
    again === 'yes',
  ]);
  const actual = Object.entries(closeCodes).map(([name, { code, sentence, reconnect }]) => [
    name,
    code,
    sentence,
    reconnect,
  ]);
  expect(listed).toEqual(actual);
});

test('every message type has its row', () => {
  const rows = [...readme.matchAll(/^\| `(\w+)` +\| `/gm)].map(([, type]) => type);
  expect(rows).toEqual([...workerMessageTypes, ...coordinatorMessageTypes]);
});

test('the numbers in the text are the limits', () => {
  const { maxDepth, maxItems, maxHeaderBytes, maxFrameBytes, maxMetrics } = messageLimits({
    parameters: 10,
    classes: 4,
  });
  expect(readme).toContain(`protocol version ${protocolVersion}`);
  expect(readme).toContain(
    `${maxHeaderBytes / 2 ** 20} MiB, ${maxDepth} levels of maps and arrays, ${format(maxItems)} values`,
  );
  expect(readme).toContain(`2^${Math.log2(maxParameters)} (weights of`);
  expect(maxMetrics).toBe(2 + 4 ** 2);
  expect(maxFrameBytes).toBe(8 + maxHeaderBytes + 8 * maxMetrics + 4 * 10);
  for (const bound of Object.values(bounds)) expect(readme).toMatch(new RegExp(`\\b${format(bound)}\\b`));
});

function format(value: number): string {
  return value.toLocaleString('en-US');
}
