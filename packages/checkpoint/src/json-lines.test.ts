import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createJsonLines } from './json-lines.ts';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gradwire-lines-'));
  path = join(folder, 'metrics.jsonl');
});
afterEach(() => rm(folder, { recursive: true }));

const parsed = async (): Promise<unknown[]> => {
  const text = await readFile(path, 'utf8');
  expect(text === '' || text.endsWith('\n')).toBe(true);
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
};

/** Sets the largest file this process may write (the soft limit). */
const limit = (bytes: string): Buffer =>
  execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:`], { stdio: 'ignore' });

test('values come back in order, one a line', async () => {
  const lines = await createJsonLines(path);
  const values = Array.from({ length: 500 }, (_, step) => ({ step, text: 'a\nb' }));
  for (const value of values.slice(0, 250)) lines.append(value);
  await lines.flush();
  expect(await parsed()).toEqual(values.slice(0, 250));
  for (const value of values.slice(250)) lines.append(value);
  await lines.close();
  await lines.close();
  expect(await parsed()).toEqual(values);
  expect(() => lines.append({})).toThrow(/is closed/);
});

test('an existing file is not touched', async () => {
  const lines = await createJsonLines(path);
  lines.append(1);
  await lines.close();
  await expect(createJsonLines(path)).rejects.toMatchObject({ code: 'FILE_WRITE_FAILED' });
  expect(await parsed()).toEqual([1]);
});

test.each([[{ loss: Number.NaN }], [[Infinity]], [undefined], [() => 1]])('%o is refused', async (value) => {
  const lines = await createJsonLines(path);
  expect(() => lines.append(value)).toThrow(TypeError);
  lines.append('next');
  await lines.close();
  expect(await parsed()).toEqual(['next']);
});

test('a full disk is reported, and no part of a line stays', async ({ skip }) => {
  const lines = await createJsonLines(path);
  lines.append('first');
  await lines.flush();
  try {
    limit('20000');
  } catch {
    skip('prlimit is not available');
  }
  try {
    lines.append('x'.repeat(30_000));
    await expect(lines.flush()).rejects.toMatchObject({ code: 'FILE_WRITE_FAILED' });
    lines.append('dropped');
    await expect(lines.close()).rejects.toMatchObject({ code: 'FILE_WRITE_FAILED' });
  } finally {
    limit('unlimited');
  }
  expect(await parsed()).toEqual(['first']);
});
