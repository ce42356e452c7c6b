import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claimRun } from './claim.ts';
import { openIncidents } from './incident-log.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gradwire-incidents-'));
});
afterEach(() => rm(folder, { recursive: true }));

const content = { recipeHash: '', host: '', port: 0, token: 'join-token' };
const raise = (error: Error): never => {
  throw error;
};
const lines = async (): Promise<string[]> =>
  (await readFile(join(folder, 'incidents.jsonl'), 'utf8')).trimEnd().split('\n');

test('incidents of all coordinators of a run are kept, in order; one that was replaced adds nothing', async () => {
  const claim = await claimRun(folder, content);
  const first = await openIncidents(folder, claim, raise);
  expect([first.count, first.last]).toEqual([0, undefined]);
  first.note({ what: 'expelled', workers: ['mallory'], message: 'one' });
  first.note({ what: 'rolled-back', step: 7, message: 'two' });
  await first.settled();
  await appendFile(join(folder, 'incidents.jsonl'), '{"torn');

  const second = await openIncidents(folder, await claimRun(folder, content), raise);
  expect([second.count, second.last?.message]).toEqual([2, 'two']);
  first.note({ what: 'failed', message: 'of a coordinator that was replaced' });
  second.note({ what: 'failed', message: 'three' });
  await Promise.all([first.settled(), second.settled()]);
  const [one = '', two = '', torn, three = '', ...more] = await lines();
  expect([torn, more]).toEqual(['{"torn', []]);
  expect([one, two, three].map((line) => JSON.parse(line) as unknown)).toEqual([
    { at: expect.any(String) as string, term: 1, what: 'expelled', workers: ['mallory'], message: 'one' },
    { at: expect.any(String) as string, term: 1, what: 'rolled-back', step: 7, message: 'two' },
    { at: expect.any(String) as string, term: 2, what: 'failed', message: 'three' },
  ]);
  claim.close();
});
