import { expect, test } from 'vitest';
import { lie } from '../harness/liar.ts';
import { smallData, smallRecipe, startSmallRun } from '../harness/small-run.ts';
import { createTemporaryFolder } from '../harness/temporary-folder.ts';

test('an answer to another coordinator of the same run is refused, and not used', async () => {
  await using calm = await startSmallRun();
  calm.work();
  const expected = (await calm.coordinator.done).summary.weightsSha256;

  await using root = await createTemporaryFolder();
  const first = await startSmallRun(smallRecipe, smallData(), { root: root.path, snapshotEvery: 2 });
  first.coordinator.stop();
  await first.coordinator.done;
  await first[Symbol.asyncDispose]();
  await using second = await startSmallRun(smallRecipe, smallData(), {
    root: root.path,
    resume: first.folder,
  });
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
