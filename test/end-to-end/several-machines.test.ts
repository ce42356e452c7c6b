import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findRecipe } from '@gradwire/recipes';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type GradwireProcess, runGradwire, startGradwire } from '../harness/gradwire.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../harness/temporary-folder.ts';
import { readSummary, train } from '../harness/train.ts';

const token = 'several-machines';
const recipe = ['--recipe', 'mnist-mlp', '--steps', '20', '--batch-size', '64'];
let folder: TemporaryFolder;

beforeAll(async () => {
  folder = await createTemporaryFolder();
});
afterAll(() => folder[Symbol.asyncDispose]());

/** A coordinator on a free port of the loopback address, and the address that it prints. */
async function startCoordinator(
  args: readonly string[] = recipe,
): Promise<GradwireProcess & { readonly address: string; readonly runDir: string; readonly port: string }> {
  const runDir = join(folder.path, `runs-${Math.random().toString(36).slice(2)}`);
  const command = ['coordinator', ...args, '--port', '0', '--token', token, '--run-dir', runDir];
  const coordinator = startGradwire(command, { cwd: folder.path });
  const [, address = '', port = ''] = await coordinator.said(
    /^ {2}gradwire worker (ws:\/\/127\.0\.0\.1:(\d+)#\S+)$/m,
  );
  return Object.assign(coordinator, { address, runDir, port });
}

test('the printed command joins from a machine without data: chunks are fetched, the bits are the same', async () => {
  const local = await train([...recipe, '--backend', 'wasm', '--workers', '2']);
  await using coordinator = await startCoordinator();
  expect(coordinator.address).toMatch(`#${token}`);
  const cache = join(folder.path, 'cache');
  const worker = await runGradwire(
    [
      'worker',
      coordinator.address,
      '--backend',
      'wasm',
      '--fetch-data',
      '--cache-dir',
      cache,
      '--name',
      'attic',
    ],
    { cwd: folder.path },
  );
  expect(worker.code, worker.stderr).toBe(0);
  expect(worker.stderr).toMatch(/data: fetched [\d.]+ MB for shards 0, 1, 2, 3, 4, 5, 6, 7/);
  expect(worker.stderr).toContain('the run has finished');
  expect(await coordinator.exited).toBe(0);
  expect(await readSummary(join(coordinator.runDir, 'latest'))).toMatchObject({
    weightsSha256: local.weightsSha256,
    workers: [{ name: 'attic', leases: 20 * 8 }],
  });
  // 60 chunks of 1,000 training samples, both manifests, and the test samples.
  expect((await readdir(cache, { recursive: true })).length).toBeGreaterThanOrEqual(72);
});

test('without workers a line says after 2 s who is waited for; the printed command shows it too', async () => {
  await using coordinator = await startCoordinator();
  await coordinator.said(/nothing moved for \d+ s: step 1 waits for a worker to join: none is connected/);
  const [, watched = ''] = await coordinator.said(/^ {2}gradwire status (ws:\S+)$/m);
  expect(watched).not.toContain(token);
  expect(await runGradwire(['status', watched])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('none is connected') as string,
  });
});

test('a worker that finds no coordinator says so while it waits', async () => {
  await using worker = startGradwire(['worker', 'ws://127.0.0.1:9#token', '--backend', 'wasm']);
  await worker.said(/waiting for the coordinator: .*127\.0\.0\.1:9/);
  worker.child.kill('SIGTERM');
  expect(await worker.exited).toBe(143);
});

test('a port that is taken: what, why and what to do, with exit code 5', async () => {
  await using coordinator = await startCoordinator();
  const second = await runGradwire(['coordinator', '--port', coordinator.port, '--run-dir', folder.path]);
  expect(second.stderr).toContain(`cannot listen on 127.0.0.1, port ${coordinator.port}`);
  expect(second.stderr).toContain('EADDRINUSE');
  expect(second.stderr).toContain('--port');
  expect(second.code).toBe(5);
});

test('a wrong token is refused with exit code 6, before any work', async () => {
  await using coordinator = await startCoordinator();
  const url = coordinator.address.replace(token, 'guess');
  const worker = await runGradwire(['worker', url, '--backend', 'wasm']);
  expect(worker.stderr).toContain('token');
  expect(worker.stderr).not.toContain(token);
  expect(worker.code).toBe(6);
});

function recipeModule(epochs: number): string {
  return `export const recipe = ${JSON.stringify({ ...findRecipe('mnist-mlp'), name: 'mine', epochs })};\n`;
}

test("a worker's own recipe is compared: the same file works, another is refused", async () => {
  const [mine, changed] = [join(folder.path, 'mine.mjs'), join(folder.path, 'changed.mjs')];
  await writeFile(mine, recipeModule(1));
  await writeFile(changed, recipeModule(2));
  await using coordinator = await startCoordinator(['--recipe', mine, '--steps', '5']);
  const work = (recipe: string): ReturnType<typeof runGradwire> =>
    runGradwire(['worker', coordinator.address, '--backend', 'wasm', '--recipe', recipe]);

  const refused = await work(changed);
  expect(refused.stderr).toMatch(/the worker's recipe has hash \w{12}, the coordinator's \w{12}/);
  expect([3, 6]).toContain(refused.code);

  const accepted = await work(mine);
  expect(accepted.code, accepted.stderr).toBe(0);
  expect(await coordinator.exited).toBe(0);
  expect(coordinator.output.stderr).toContain('refused a connection');
});

test('a worker with damaged data tells the coordinator; the run goes on with the next', async () => {
  await using badData = await createTemporaryFolder();
  for (const name of ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte', 't10k-images-idx3-ubyte']) {
    await writeFile(join(badData.path, name), 'not an IDX file');
  }
  await using coordinator = await startCoordinator();
  const worker = await runGradwire([
    'worker',
    coordinator.address,
    '--backend',
    'wasm',
    '--name',
    'bad-data',
    '--data-dir',
    badData.path,
  ]);
  expect(worker.stderr).toContain(badData.path);
  expect(worker.code).toBe(4);
  await coordinator.said(/bad-data failed \(.*t10k-images|bad-data failed \(.*train-/);
  const good = await runGradwire(['worker', coordinator.address, '--backend', 'wasm', '--name', 'good']);
  expect(good.code, good.stderr).toBe(0);
  expect(await coordinator.exited).toBe(0);
});
