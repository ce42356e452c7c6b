import { createMember } from '@gradwire/worker';
import { expect, test } from 'vitest';
import { lie } from '../harness/liar.ts';
import { smallData, smallRecipe, type SmallRun, startSmallRun } from '../harness/small-run.ts';
import { createTemporaryFolder } from '../harness/temporary-folder.ts';

/** The second start of a run in that folder; the first was stopped before its first step. */
async function startResumed(root: string): Promise<SmallRun> {
  const first = await startSmallRun(smallRecipe, smallData(), { root, snapshotEvery: 2 });
  first.coordinator.stop();
  await first.coordinator.done;
  await first[Symbol.asyncDispose]();
  return startSmallRun(smallRecipe, smallData(), { root, resume: first.folder });
}

test('an answer to another coordinator of the same run is refused, and not used', async () => {
  await using calm = await startSmallRun();
  calm.work();
  const expected = (await calm.coordinator.done).summary.weightsSha256;

  await using root = await createTemporaryFolder();
  await using second = await startResumed(root.path);
  const stale = lie(second, 'stale', (partial) => {
    expect(partial.term).toBe(2);
    partial.term = 1;
    return true;
  });
  const left = await second.event(({ type }) => type === 'worker-left');
  expect(left).toMatchObject({
    worker: 'stale',
    reason: expect.stringContaining('a partial of term 1, this coordinator has term 2') as string,
  });
  await stale.catch(() => undefined);
  second.work({ name: 'honest' });
  const { summary } = await second.coordinator.done;
  expect(summary).toMatchObject({ outcome: 'finished', weightsSha256: expected });
  expect(summary.workers.map(({ name }) => name)).toEqual(['honest']);
});

test('a worker of a run that was resumed joins another one of the same name, at its first start', async () => {
  await using root = await createTemporaryFolder();
  await using second = await startResumed(root.path);
  await using another = await startSmallRun();
  expect(another.folder.name).toBe(second.folder.name);

  const member = await createMember({
    backend: 'wasm',
    threads: 1,
    software: 'test',
    cacheDirectory: `${root.path}/cache`,
    findLocal: async () => ({ ...second.data, source: 'here' }),
    signal: new AbortController().signal,
    onEvent: () => undefined,
  });
  const serve = ({ coordinator, url }: SmallRun): Promise<unknown> =>
    member.serve(coordinator.connect(), { url, token: coordinator.token });
  expect(await serve(second)).toMatchObject({ outcome: 'finished' });
  expect(await serve(another)).toMatchObject({ outcome: 'finished' });
  await member.close();
});
