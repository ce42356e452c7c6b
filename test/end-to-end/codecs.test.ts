import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createTemporaryFolder } from '../harness/temporary-folder.ts';
import { type GradwireProcess, startGradwire } from '../harness/gradwire.ts';
import { readSummary, stepDone, train, workerPid } from '../harness/train.ts';

const run = ['--recipe', 'mnist-mlp', '--steps', '40', '--codec-shards', '2'];

test.each([
  ['bfloat16', 'bfloat16'],
  ['float16', 'float16'],
  ['top-k', 'float32'],
])(
  '%s: threads of one process, and processes give the same bits',
  async (codec, weights) => {
    const args = [...run, '--codec', codec, '--weights-codec', weights];
    const own = await train([...args, '--threads', '2']);
    expect(own).toMatchObject({ steps: 40, exact: true });
    const processes = await train([...args, '--workers', '2']);
    expect(processes.weightsSha256).toBe(own.weightsSha256);
  },
  300_000,
);

test('int8: one worker, three, and a killed one give the same bits', async () => {
  const args = [...run, '--codec', 'int8', '--weights-codec', 'bfloat16'];
  const alone = await train([...args, '--workers', '1']);
  const three = await train([...args, '--workers', '3']);
  const killed = await train([...args, '--workers', '2'], {
    async during(command) {
      const pid = await workerPid(command, 'worker-1');
      await stepDone(command, 3);
      process.kill(pid, 'SIGKILL');
    },
  });
  expect([three.weightsSha256, killed.weightsSha256]).toEqual([alone.weightsSha256, alone.weightsSha256]);
}, 300_000);

test('top-k with error feedback: one worker, three, a killed one and a killed coordinator give the same bits', async () => {
  const args = [...run, '--codec', 'top-k', '--codec-feedback', '8', '--steps', '120'];
  const alone = await train([...args, '--workers', '1']);
  const three = await train([...args, '--workers', '3']);
  // The last but one step of a period that begins with step 9.
  const killed = await train([...args, '--workers', '2'], {
    async during(command) {
      const pid = await workerPid(command, 'worker-1');
      await stepDone(command, 14);
      process.kill(pid, 'SIGKILL');
    },
  });
  await using folder = await createTemporaryFolder();
  const coordinate = (more: readonly string[]): GradwireProcess =>
    startGradwire(['coordinator', '--json', '--run-dir', folder.path, '--snapshot-every', '1', ...more], {});
  await using first = coordinate([...args, '--port', '0', '--token', 'codec-token']);
  const { port } = await first.line(({ event }) => event === 'listening');
  await using worker = startGradwire(['worker', `ws://127.0.0.1:${String(port)}#codec-token`], {});
  await stepDone(first, 21);
  first.child.kill('SIGKILL');
  await first.exited;
  await using second = coordinate(['--resume', join(folder.path, 'latest')]);
  const { step } = await second.line(({ event }) => event === 'resumed');
  expect(Number(step) % 8).toBe(0);
  expect(await Promise.all([second.exited, worker.exited])).toEqual([0, 0]);
  const resumed = await readSummary(join(folder.path, 'latest'));
  expect([three, killed, resumed].map(({ weightsSha256 }) => weightsSha256)).toEqual(
    Array(3).fill(alone.weightsSha256),
  );
}, 300_000);

test('the recipe of a run says its codecs', async () => {
  await using folder = await createTemporaryFolder();
  await train([...run, '--codec', 'int8', '--weights-codec', 'float16'], { runDir: folder.path });
  const recipe = JSON.parse(await readFile(join(folder.path, 'latest', 'recipe.json'), 'utf8')) as object;
  expect(recipe).toMatchObject({ codec: { gradients: { type: 'int8', shards: 2 }, weights: 'float16' } });
}, 300_000);

test('a worker that joins late computes with the codecs of the run', async () => {
  await using folder = await createTemporaryFolder();
  const long = [...run, '--codec', 'int8', '--steps', '300'];
  const args = [...long, '--run-dir', folder.path];
  await using host = startGradwire(
    ['coordinator', '--json', '--port', '0', '--token', 'codec-token', ...args],
    {},
  );
  const { port } = await host.line(({ event }) => event === 'listening');
  const address = `ws://127.0.0.1:${String(port)}#codec-token`;
  await using first = startGradwire(['worker', address, '--name', 'first'], {});
  await stepDone(host, 2);
  // Stopped, so that the run is not over before the other one is there.
  first.child.kill('SIGSTOP');
  await using late = startGradwire(['worker', address, '--name', 'late'], {});
  await host.line(({ event, worker }) => event === 'worker-prepared' && worker === 'late');
  first.child.kill('SIGCONT');
  expect(await Promise.all([host.exited, first.exited, late.exited])).toEqual([0, 0, 0]);
  const calm = await train(long);
  const summary = await readSummary(join(folder.path, 'latest'));
  expect(summary.weightsSha256).toBe(calm.weightsSha256);
  expect(summary.workers.map(({ name }) => name)).toEqual(['first', 'late']);
}, 300_000);
