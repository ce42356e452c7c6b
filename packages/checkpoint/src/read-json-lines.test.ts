import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createJsonLines, resumeJsonLines } from './json-lines.ts';
import { readJsonLines } from './read-json-lines.ts';
import type { FilePrefix } from './snapshot/snapshot.ts';

let folder: string;
let path: string;
let prefix: FilePrefix;

/** Two lines that a snapshot vouches for, and two after it. */
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gradwire-lines-'));
  path = join(folder, 'metrics.jsonl');
  const lines = await createJsonLines(path);
  lines.append({ step: 1, name: 'Zoë' });
  lines.append({ step: 2 });
  prefix = lines.position();
  lines.append({ step: 3 });
  lines.append({ step: 4 });
  await lines.close();
});
afterEach(() => rm(folder, { recursive: true }));

test.each(['', '{"step":5', '\u0000\u0000', '{"step":5}\n{"st'])(
  'a tail that ends in %j is cut off, and the file goes on',
  async (torn) => {
    await appendFile(path, torn);
    const { content, values } = await readJsonLines(path, prefix);
    expect(values).toEqual([{ step: 1, name: 'Zoë' }, { step: 2 }]);
    const lines = await resumeJsonLines(path, content);
    expect(lines.position()).toEqual(prefix);
    lines.append({ step: 3, again: true });
    const more = lines.position();
    await lines.close();
    expect((await readJsonLines(path, more)).values.at(-1)).toEqual({ step: 3, again: true });
    expect(await readFile(path, 'utf8')).toBe(
      '{"step":1,"name":"Zoë"}\n{"step":2}\n{"step":3,"again":true}\n',
    );
  },
);

test('a good line after a bad one is refused, not cut off', async () => {
  const text = (await readFile(path, 'utf8')).replace('"step":3', '"step:3');
  await writeFile(path, text);
  await expect(readJsonLines(path, prefix)).rejects.toMatchObject({
    code: 'FILE_CORRUPT',
    message: expect.stringContaining(`at byte ${prefix.bytes}`),
  });
  expect(await readFile(path, 'utf8')).toBe(text);
});

test('another digit, or a file that ends early, does not pass for what was written', async () => {
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replace('"step":2', '"step":7'));
  await expect(readJsonLines(path, prefix)).rejects.toThrow(/SHA-256/);
  await writeFile(path, text.slice(0, 20));
  await expect(readJsonLines(path, prefix)).rejects.toThrow(/expected at least \d+ bytes, found 2\d/);
});

test('without a snapshot nothing is kept, and no file is no error', async () => {
  expect((await readJsonLines(path)).values).toEqual([]);
  expect((await readJsonLines(join(folder, 'absent'))).content).toHaveLength(0);
});

test('who still has the old file open writes to nowhere', async () => {
  const { content } = await readJsonLines(path, prefix);
  const old = await resumeJsonLines(path, content);
  const fresh = await resumeJsonLines(path, content);
  old.append('from the old one');
  fresh.append('from the new one');
  await Promise.all([old.close(), fresh.close()]);
  expect((await readFile(path, 'utf8')).split('\n').slice(2)).toEqual(['"from the new one"', '']);
});
