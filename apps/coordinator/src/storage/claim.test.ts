import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Claim, claimRun } from './claim.ts';
import { claimFile } from './stored-claim.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gradwire-claim-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function claim(): Promise<Claim> {
  const claim = await claimRun(folder, { recipeHash: '', host: '', port: 0, token: 'join-token' });
  claim.close();
  return claim;
}

async function readStored(): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(join(folder, claimFile), 'utf8')) as Record<string, unknown>;
}

test('all coordinators of a run have its id, and another run has another one', async () => {
  const first = await claim();
  await first.goBack(3);
  const second = await claim();
  expect([second.runId, second.term, second.goBackTo]).toEqual([first.runId, 2, 3]);
  await second.finish();
  expect(await readStored()).toMatchObject({ runId: first.runId, term: 2 });
  await rm(join(folder, claimFile));
  expect((await claim()).runId).not.toBe(first.runId);
});

test('a run that was written before there were ids gets one when it goes on', async () => {
  await claim();
  const { runId: _, ...older } = await readStored();
  await writeFile(join(folder, claimFile), JSON.stringify(older));
  const second = await claim();
  expect(second.term).toBe(2);
  expect((await claim()).runId).toBe(second.runId);
});
