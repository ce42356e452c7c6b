import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type GradwireProcess, runGradwire, startGradwire } from '../harness/gradwire.ts';
import { jsonLines } from '../harness/json-output.ts';
import { createTemporaryFolder } from '../harness/temporary-folder.ts';
import { readSummary, train } from '../harness/train.ts';

const recipe = '--recipe mnist-cnn-small --batch-size 32'.split(' ');
const token = 'status-of-a-run';

/** What a command prints. */
async function ask(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runGradwire(args);
  expect(code, stderr).toBe(0);
  return stdout;
}

test('status and explain say in words where a run stands and what it waits for', async () => {
  await using folder = await createTemporaryFolder();
  const args = [
    'coordinator',
    ...recipe,
    '--port',
    '0',
    '--token',
    token,
    '--run-dir',
    folder.path,
    '--json',
  ];
  await using coordinator = startGradwire(args);
  const { port } = await coordinator.line(({ event }) => event === 'listening');
  const url = `ws://127.0.0.1:${String(port)}#${token}`;

  expect(await ask('status', url)).toMatch(
    /^0001-mnist-cnn-small .*: running, 0 of 18,750 steps done \(epoch 1 of 10\)\n/,
  );
  expect(await ask('explain', url)).toMatch(
    /^step 1 waits for a worker to join: none is connected\.\n[^]*start a worker/,
  );

  const start = ['worker', url, '--name', 'kitchen', '--backend', 'wasm', '--threads', '1'];
  await using worker = startGradwire(start);
  await coordinator.line(({ event }) => event === 'step');
  expect(await ask('status', url)).toMatch(/\n {2}kitchen +wasm +(working|late) +[\d,]+ +\d+ +127\.0\.0\.1/);

  const explain = await ask('explain', url);
  expect(explain).toMatch(/^(step \d+|the evaluation) waits on worker kitchen, /);
  expect(explain).toMatch(/\nkitchen has \d+ leases? left, since [\d.]+ s\.\n/);
  expect(explain).toMatch(/\nTo do: .*start one more worker/);
  const [status] = jsonLines(await ask('status', url, '--json'));
  expect(status).toMatchObject({ phase: 'running', waitingFor: 'leases', workers: [{ worker: 'kitchen' }] });
  expect(worker.child.exitCode).toBeNull();
}, 300_000);

test('status says what --codec auto chose and why, also of a run that was resumed', async () => {
  await using folder = await createTemporaryFolder();
  const place = ['coordinator', '--run-dir', folder.path, '--port', '0', '--json'];
  const auto = ['--codec', 'auto', '--lossy', '--link', '5mbit,50ms'];
  const askOf = async (coordinator: GradwireProcess): Promise<string> => {
    const { port } = await coordinator.line(({ event }) => event === 'listening');
    return ask('status', `ws://127.0.0.1:${String(port)}#${token}`);
  };
  await using first = startGradwire([...place, ...recipe, ...auto, '--token', token]);
  const { reason } = await first.line(({ event }) => event === 'codec-chosen');
  expect(reason).toMatch(/^(bfloat16|int8) .*of the time, \d+ % with float32$/);
  expect(await askOf(first)).toContain(`\ncodec auto: ${String(reason)}\n`);
  first.child.kill('SIGKILL');
  await first.exited;
  await using second = startGradwire([...place, '--resume', join(folder.path, 'latest')]);
  expect(await askOf(second)).toContain(`\ncodec auto: ${String(reason)}\n`);
}, 60_000);

test('a wrong token is refused with code 6, and nobody there is code 5', async () => {
  await using folder = await createTemporaryFolder();
  const args = [
    'coordinator',
    ...recipe,
    '--port',
    '0',
    '--token',
    token,
    '--run-dir',
    folder.path,
    '--json',
  ];
  await using coordinator = startGradwire(args);
  const { port } = await coordinator.line(({ event }) => event === 'listening');
  const wrong = await runGradwire(['status', `ws://127.0.0.1:${String(port)}#another-token`]);
  expect([wrong.code, wrong.stdout], wrong.stderr).toEqual([6, '']);
  expect(wrong.stderr).toContain('TOKEN_WRONG');
  coordinator.child.kill('SIGINT');
  await coordinator.exited;
  const gone = await runGradwire(['explain', `ws://127.0.0.1:${String(port)}#${token}`, '--json']);
  expect([gone.code, jsonLines(gone.stdout)[0]?.['code']], gone.stderr).toEqual([5, 'CONNECTION_FAILED']);
});

test('drain empties one machine: it leaves with code 0, the run goes on and ends with the same weights', async () => {
  await using folder = await createTemporaryFolder();
  const length = '--recipe mnist-mlp --steps 1000 --batch-size 64'.split(' ');
  const { weightsSha256 } = await train([...length, '--backend', 'wasm']);
  const args = [
    'coordinator',
    ...length,
    '--port',
    '0',
    '--token',
    token,
    '--run-dir',
    folder.path,
    '--json',
  ];
  await using coordinator = startGradwire(args);
  const { port } = await coordinator.line(({ event }) => event === 'listening');
  const url = `ws://127.0.0.1:${String(port)}#${token}`;
  const start = (name: string): GradwireProcess =>
    startGradwire(['worker', url, '--name', name, '--backend', 'wasm', '--threads', '1']);
  await using attic = start('attic');
  await coordinator.line(({ event }) => event === 'step');

  const unknown = await runGradwire(['drain', url, 'cellar']);
  expect([unknown.code, unknown.stdout]).toEqual([2, '']);
  expect(unknown.stderr).toContain('There is no worker "cellar"; connected are attic.');
  expect(unknown.stderr).not.toContain('cannot join');
  expect(await ask('drain', url, 'attic')).toBe('attic has left; the run goes on without it.\n');
  expect(await attic.exited, attic.output.stderr).toBe(0);
  expect(attic.output.stderr).toContain('left the run: drained by an operator');

  await using cellar = start('cellar');
  expect(await coordinator.exited, coordinator.output.stderr).toBe(0);
  expect(await cellar.exited).toBe(0);
  expect(await readSummary(join(folder.path, 'latest'))).toMatchObject({
    weightsSha256,
    outcome: 'finished',
  });
}, 300_000);
