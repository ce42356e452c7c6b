import { readFile, writeFile } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { startKernels } from '../test-support.ts';
import { goldenHashes } from './golden-hashes.ts';

const table = new URL('../../golden.json', import.meta.url);

beforeAll(startKernels);

// A change here is a new numerics class: say so in the change set.
test('the bits of every kernel are the recorded ones (GOLDEN=write records new ones)', async () => {
  const hashes = await goldenHashes();
  if (process.env['GOLDEN'] === 'write') await writeFile(table, `${JSON.stringify(hashes, null, 2)}\n`);
  expect(hashes).toEqual(JSON.parse(await readFile(table, 'utf8')));
});
