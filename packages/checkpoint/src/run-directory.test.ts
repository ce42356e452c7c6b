import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findRun } from './find-run.ts';
import { createRunDirectory } from './run-directory.ts';

let root: string;

beforeEach(async () => {
  root = join(await mkdtemp(join(tmpdir(), 'gradwire-runs-')), 'runs');
});
afterEach(() => rm(join(root, '..'), { recursive: true }));

test('runs are numbered and latest points to the newest', async () => {
  expect(await createRunDirectory(root, 'mnist-cnn')).toEqual({
    number: 1,
    name: '0001-mnist-cnn',
    path: join(root, '0001-mnist-cnn'),
  });
  await createRunDirectory(root, 'mnist-mlp');
  expect((await readdir(root)).sort()).toEqual(['0001-mnist-cnn', '0002-mnist-mlp', 'latest']);
  expect(await readlink(join(root, 'latest'))).toBe('0002-mnist-mlp');
});

test('a number is never used again, whatever else lies there', async () => {
  for (const name of ['0007-old', '12345-long', 'notes', '99'])
    await mkdir(join(root, name), { recursive: true });
  await writeFile(join(root, '12346'), 'a file in the way');
  expect((await createRunDirectory(root, 'a')).number).toBe(12347);
});

test('many that start at once get a number each', async () => {
  const names = Array.from({ length: 24 }, (_, index) => (index % 2 ? 'a' : 'b'));
  const runs = await Promise.all(names.map((name) => createRunDirectory(root, name)));
  expect(new Set(runs.map(({ number }) => number)).size).toBe(24);
  const left = (await readdir(root)).filter((name) => name !== 'latest').sort();
  expect(left).toEqual(runs.map(({ name }) => name).sort());
  expect(left).toContain(await readlink(join(root, 'latest')));
});

test('a latest that is a text file is replaced', async () => {
  await mkdir(root);
  await writeFile(join(root, 'latest'), '0000-x\n');
  await createRunDirectory(root, 'a');
  expect((await lstat(join(root, 'latest'))).isSymbolicLink()).toBe(true);
});

test('a place that cannot be used is named', async () => {
  await mkdir(join(root, '..'), { recursive: true });
  await writeFile(root, '');
  await expect(createRunDirectory(root, 'a')).rejects.toMatchObject({
    code: 'FILE_WRITE_FAILED',
    message: expect.stringContaining(root),
  });
  expect(await readFile(root)).toHaveLength(0);
});

test.each(['', '../x', 'A', 'a b', 'a--b'])('the recipe name %j is refused', async (name) => {
  await expect(createRunDirectory(root, name)).rejects.toThrow(TypeError);
});

test('a run is found by its directory and by latest, as link and as text', async () => {
  const run = await createRunDirectory(root, 'a');
  await expect(findRun(run.path)).rejects.toMatchObject({ code: 'DATA_NOT_FOUND' });
  await writeFile(join(run.path, 'recipe.json'), '{}');
  expect(await findRun(run.path)).toMatchObject({ number: 1, name: '0001-a' });
  expect(await findRun(join(root, 'latest'))).toMatchObject({ name: '0001-a' });
  await rm(join(root, 'latest'));
  await expect(findRun(join(root, 'latest'))).rejects.toMatchObject({ code: 'DATA_NOT_FOUND' });
  await writeFile(join(root, 'latest'), '0001-a\n');
  expect(await findRun(join(root, 'latest'))).toMatchObject({ name: '0001-a' });
});
