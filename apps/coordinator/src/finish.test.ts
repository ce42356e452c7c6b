import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createEnding, type Ending } from './ending.ts';
import { finishRun, type FinishOptions } from './finish.ts';
import { openStorage } from './storage/open-storage.ts';
import { createWorld, stored, type World } from './storage/test-support.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gradwire-finish-'));
});
afterEach(() => rm(folder, { recursive: true }));

const onProblem = (error: Error): never => {
  throw error;
};

/** Waits for the end of a run; another coordinator has taken it over. What its workers were told. */
async function finishTaken(world: World, ending: Ending): Promise<string[]> {
  const other = await openStorage({ ...stored, directory: folder, resume: true, onProblem });
  const told: string[] = [];
  const sessions = { suspend: () => told.push('come again'), sayGoodbye: () => told.push('the end') };
  const { recorder } = world.storage;
  const options = { ...world, sessions, recorder, ending, onProblem } as unknown as FinishOptions;
  await expect(finishRun(options)).rejects.toMatchObject({ code: 'RUN_TAKEN' });
  await other.recorder.close();
  other.claim.close();
  return told;
}

test('a run that another coordinator has taken over commits nothing any more: its files are closed', async () => {
  const world = await createWorld(folder);
  world.go(2);
  expect(await finishTaken(world, createEnding())).toEqual(['come again']);
  expect(world.ends).toMatchObject([{ outcome: 'stopped' }]);
});

test('workers of a run that was taken over in its last moment are not told that it has ended', async () => {
  const world = await createWorld(folder);
  world.go(99);
  const ending = createEnding();
  ending.end({ outcome: 'finished' });
  expect(await finishTaken(world, ending)).toEqual(['come again']);
});
