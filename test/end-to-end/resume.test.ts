import { cp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { uniform } from '@gradwire/random';
import { beforeAll, expect, test } from 'vitest';
import { type GradwireProcess, runGradwire, startGradwire } from '../harness/gradwire.ts';
import { jsonLines } from '../harness/json-output.ts';
import { createTemporaryFolder } from '../harness/temporary-folder.ts';
import { readSummary, stepDone, train } from '../harness/train.ts';

// Long enough that what is to happen within a run does, also on a slow machine.
const steps = 150;
const recipe = ['--recipe', 'mnist-cnn-small', '--steps', `${steps}`, '--batch-size', '64'];
let calm: string;

beforeAll(async () => {
  calm = (await train(['--backend', 'wasm', ...recipe])).weightsSha256;
});

/** Starts a coordinator, new (`recipe`) or `--resume`, on a free port or the one of before. */
function coordinate(runDir: string, args: readonly string[]): GradwireProcess {
  return startGradwire(['coordinator', '--json', '--run-dir', runDir, '--snapshot-every', '7', ...args]);
}

function work(port: unknown, name: string): GradwireProcess {
  const args = ['worker', `ws://127.0.0.1:${String(port)}`, '--name', name, '--backend', 'wasm'];
  return startGradwire(args, { env: { GRADWIRE_TOKEN: 'join-token' } });
}

/** The step of a snapshot by its name. */
const stepOfFile = (name: string): number => Number(/^step-(\d+)\.safetensors$/.exec(name)?.[1] ?? 0);

/** Every step once and in order, in metrics and ledger. */
async function expectEachStepOnce(directory: string): Promise<void> {
  for (const file of ['metrics.jsonl', 'ledger.jsonl']) {
    const lines = jsonLines(await readFile(join(directory, file), 'utf8'));
    const found = lines.filter(({ type = 'step' }) => type === 'step').map(({ step }) => step);
    expect(found, file).toEqual(Array.from({ length: steps }, (_, index) => index + 1));
  }
}

test('the coordinator killed at random moments, and while it recovers: the weights of a calm run', async () => {
  await using folder = await createTemporaryFolder();
  const directory = join(folder.path, '0001-mnist-cnn-small');
  const first = coordinate(folder.path, [...recipe, '--port', '0', '--token', 'join-token']);
  const { port } = await first.line(({ event }) => event === 'listening');
  await using worker = startGradwire(
    ['worker', `ws://127.0.0.1:${port}`, '--name', 'attic', '--backend', 'wasm', '--json'],
    { env: { GRADWIRE_TOKEN: 'join-token' } },
  );
  // Before the first snapshot, and wherever the numbers fall.
  const random = [...uniform({ seed: 5, stream: 'noise' }, 2)].map((x) => Math.floor(x * 40) + 8);
  let run = first;
  for (const moment of [3, ...random.toSorted((a, b) => a - b)]) {
    await stepDone(run, moment);
    run.child.kill('SIGKILL');
    expect(await run.exited).toBe(137);
    // And again while it recovers.
    for (const event of moment === 3 ? ['listening', 'resumed'] : []) {
      await using weak = coordinate(folder.path, ['--resume', directory]);
      await weak.line((line) => line.event === event);
      weak.child.kill('SIGKILL');
      await weak.exited;
    }
    run = coordinate(folder.path, ['--resume', directory]);
    expect(await run.line(({ event }) => event === 'listening')).toMatchObject({ port });
  }
  expect(await run.exited, run.output.stderr).toBe(0);
  // The very same process, from the first step to the last.
  expect(await worker.exited, worker.output.stderr).toBe(0);
  const summary = await readSummary(directory);
  expect(summary).toMatchObject({ weightsSha256: calm, steps, samplesSeen: steps * 64, exact: true });
  expect(summary.workers).toMatchObject([{ name: 'attic', backend: 'wasm', leases: steps * 8 }]);
  await expectEachStepOnce(directory);
}, 300_000);

test('scenario 2: steps that were said to be safe, and that the disk has lost, are computed again by workers that had gone beyond them', async () => {
  await using folder = await createTemporaryFolder();
  await using elsewhere = await createTemporaryFolder();
  const directory = join(folder.path, '0001-mnist-cnn-small');
  const disk = join(elsewhere.path, 'disk');
  await using run = coordinate(folder.path, [...recipe, '--port', '0', '--token', 'join-token']);
  const { port } = await run.line(({ event }) => event === 'listening');
  await using attic = work(port, 'attic');
  await using cellar = work(port, 'cellar');
  await run.line(({ event }) => event === 'snapshot');
  run.child.kill('SIGSTOP');
  await cp(directory, disk, { recursive: true });
  run.child.kill('SIGCONT');
  // The next one may be there already without having been told of.
  const kept = Math.max(...(await readdir(join(disk, 'snapshots'))).map(stepOfFile));
  const later = await run.line(({ event, step }) => event === 'snapshot' && Number(step) >= kept + 14);
  await stepDone(run, Number(later['step']) + 1);
  run.child.kill('SIGKILL');
  expect(await run.exited).toBe(137);
  await rm(directory, { recursive: true });
  await cp(disk, directory, { recursive: true });

  await using again = coordinate(folder.path, ['--resume', directory]);
  expect(await again.line(({ event }) => event === 'resumed')).toMatchObject({ step: kept });
  expect(await again.exited, again.output.stderr).toBe(0);
  // The very same processes, from the first step to the last; one that comes back after the end finds nobody.
  expect(await Promise.race([attic.exited, cellar.exited]), attic.output.stderr).toBe(0);
  const summary = await readSummary(directory);
  expect(summary).toMatchObject({ weightsSha256: calm, steps, samplesSeen: steps * 64, exact: true });
  // One of them may have missed the steps that were kept, and those that came after.
  expect(['attic', 'cellar']).toEqual(expect.arrayContaining(summary.workers.map(({ name }) => name)));
  await expectEachStepOnce(directory);
}, 60_000);

test('a coordinator that was stopped while another one went on with its run writes nothing, and ends with code 11', async () => {
  await using folder = await createTemporaryFolder();
  const directory = join(folder.path, '0001-mnist-cnn-small');
  const token = ['--token', 'join-token'];
  await using old = coordinate(folder.path, [...recipe, '--port', '0', ...token]);
  await using first = work((await old.line(({ event }) => event === 'listening'))['port'], 'first');
  await stepDone(old, 10);
  // Its worker goes on computing, and its answers wait for it.
  old.child.kill('SIGSTOP');
  await using next = coordinate(folder.path, ['--resume', directory, '--port', '0']);
  await using second = work((await next.line(({ event }) => event === 'listening'))['port'], 'second');
  await stepDone(next, 30);
  old.child.kill('SIGCONT');
  expect(await old.exited, old.output.stderr).toBe(11);
  expect(await next.exited, next.output.stderr).toBe(0);
  expect(await second.exited, second.output.stderr).toBe(0);
  first.child.kill('SIGKILL');
  expect(await readSummary(directory)).toMatchObject({ weightsSha256: calm, steps });
  await expectEachStepOnce(directory);
}, 300_000);

test('train: SIGTERM leaves a snapshot, a hint and code 143; the resumed run ends with the weights of a calm one', async () => {
  await using folder = await createTemporaryFolder();
  const args = ['train', '--json', '--backend', 'wasm', '--run-dir', folder.path];
  await using run = startGradwire([...args, ...recipe, '--workers', '2']);
  await stepDone(run, 20);
  run.child.kill('SIGTERM');
  expect(await run.exited, run.output.stderr).toBe(143);
  const directory = join(folder.path, '0001-mnist-cnn-small');
  const { steps: done } = await readSummary(directory);
  expect(await readdir(join(directory, 'snapshots'))).toContain(
    `step-${`${done}`.padStart(8, '0')}.safetensors`,
  );
  // The token is in it.
  expect((await stat(join(directory, 'coordinator.json'))).mode & 0o077).toBe(0);

  await using again = startGradwire([...args, '--resume', join(folder.path, 'latest')]);
  expect(await again.line(({ event }) => event === 'resumed')).toMatchObject({ step: done, term: 2 });
  expect(await again.exited, again.output.stderr).toBe(0);
  const summary = await readSummary(directory);
  expect(summary).toMatchObject({ outcome: 'finished', weightsSha256: calm, steps });
  await expectEachStepOnce(directory);
  expect(await readFile(join(directory, 'coordinator.json'), 'utf8')).not.toContain('token');

  const third = await runGradwire([...args, '--resume', directory]);
  expect(third).toMatchObject({ code: 2, stderr: expect.stringContaining('has finished') });
}, 120_000);

test('another recipe is refused, and each difference shown', async () => {
  await using folder = await createTemporaryFolder();
  await using run = coordinate(folder.path, [...recipe, '--port', '0']);
  await run.line(({ event }) => event === 'listening');
  run.child.kill('SIGKILL');
  await run.exited;
  const resume = [
    'coordinator',
    '--resume',
    join(folder.path, 'latest'),
    '--seed',
    '9',
    '--batch-size',
    '32',
  ];
  const { code, stderr } = await runGradwire(resume);
  expect(code).toBe(3);
  expect(stderr).toContain(
    'batchSize is 64 in the run, 32 was asked for; seed is 1 in the run, 9 was asked for',
  );
  const other = await runGradwire([
    'coordinator',
    '--resume',
    join(folder.path, 'latest'),
    '--recipe',
    'mnist-mlp',
  ]);
  expect(other.code).toBe(3);
  expect(other.stderr).toMatch(/name is "mnist-cnn-small" in the run, "mnist-mlp" was asked for/);
});

test('--resume alone goes on with TLS and --verify as before; workers that know the fingerprint come back', async () => {
  await using folder = await createTemporaryFolder();
  const directory = join(folder.path, '0001-mnist-cnn-small');
  const extra = ['--tls', 'self-signed', '--cache-dir', join(folder.path, 'cache'), '--verify', '20%'];
  await using first = coordinate(folder.path, [...recipe, '--port', '0', ...extra]);
  const [, address = ''] = await first.said(/gradwire worker (wss:\S+)$/m);
  const start = (name: string): GradwireProcess =>
    startGradwire(['worker', address, '--name', name, '--backend', 'wasm', '--threads', '1']);
  await using attic = start('attic');
  await using cellar = start('cellar');
  await stepDone(first, 20);
  first.child.kill('SIGKILL');
  await first.exited;
  await using second = coordinate(folder.path, ['--resume', directory]);
  await second.said(/as before: .*--verify 0\.2 --tls self-signed$/m);
  expect(await second.exited).toBe(0);
  // One that comes back after the end finds nobody.
  expect(await Promise.race([attic.exited, cellar.exited]), attic.output.stderr).toBe(0);
  expect((await readSummary(directory)).weightsSha256).toBe(calm);
  await expectEachStepOnce(directory);
});
