import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { disk, type FileSystem } from '@gradwire/checkpoint';
import { createDisk, createDraws, type SimulatedDisk } from '@gradwire/simulator';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claimRun } from './claim.ts';
import { filesOn, type SimulatedFiles } from './files-on-disk.ts';
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
  const first = await openIncidents(folder, { claim, onProblem: raise });
  expect([first.count, first.last]).toEqual([0, undefined]);
  first.note({ what: 'expelled', workers: ['mallory'], message: 'one' });
  first.note({ what: 'rolled-back', step: 7, message: 'two' });
  await first.settled();
  await appendFile(join(folder, 'incidents.jsonl'), '{"torn');

  const second = await openIncidents(folder, { claim: await claimRun(folder, content), onProblem: raise });
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

/** Notes three incidents, or as many as fit before the disk ends the process; those said to be on disk go into `promised`. */
async function live(platter: SimulatedDisk, promised: string[], life: number): Promise<SimulatedFiles> {
  const files = filesOn(platter, '/run');
  const onProblem = (error: Error): void => {
    if (!files.end) throw error;
  };
  const claim = await claimRun('/run', content, files).catch(onProblem);
  const log = claim && (await openIncidents('/run', { claim, onProblem, files }).catch(onProblem));
  for (const message of ['a', 'b', 'c'].map((letter) => `${letter}${life}`)) {
    log?.note({ what: 'failed', message });
    await log?.settled();
    if (!files.end) promised.push(message);
  }
  claim?.close();
  return files;
}

/** The messages in the file after the power has failed before each of these operations. */
async function notedWithCuts(
  cutAt: number[],
): Promise<{ found: string[]; promised: string[]; operations: number }> {
  const platter = createDisk(createDraws(cutAt[0] ?? 0, 'disk'), cutAt);
  const promised: string[] = [];
  for (let life = 0; life <= cutAt.length; life++) {
    if ((await live(platter, promised, life)).end) platter.losePower();
  }
  const text = platter.peek('incidents.jsonl').trimEnd().split('\n');
  const found = text.map((line) => (JSON.parse(line) as { message: string }).message);
  return { found, promised, operations: platter.operations };
}

test('the power may fail before every disk operation: what was said to be on disk is there, and every line is whole', async () => {
  const { operations, found: calm } = await notedWithCuts([]);
  expect(calm).toEqual(['a0', 'b0', 'c0']);
  for (let first = 1; first <= operations; first++) {
    // Neighbours between them take every operation of the next life.
    for (let second = first + 1 + (first % 7); second <= first + operations; second += 7) {
      const { found, promised } = await notedWithCuts([first, second]);
      expect(
        found.filter((message) => promised.includes(message)),
        `${first}, ${second}`,
      ).toEqual(promised);
      expect(promised.length, `${first}, ${second}`).toBeGreaterThanOrEqual(3);
    }
  }
});

test('a file that cannot be read is not taken for an empty one, which the next incident would replace', async () => {
  const files: FileSystem = {
    ...disk,
    readFile: (path) =>
      path.endsWith('incidents.jsonl') ? Promise.reject(new Error('EIO')) : disk.readFile(path),
  };
  const claim = await claimRun(folder, content, files);
  const opened = openIncidents(folder, { claim, onProblem: raise, files });
  await expect(opened).rejects.toMatchObject({ code: 'FILE_CORRUPT' });
  claim.close();
});
