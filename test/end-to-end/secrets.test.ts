import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type GradwireProcess, runGradwire, startGradwire } from '../harness/gradwire.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../harness/temporary-folder.ts';
import { readSummary, stepDone, train, workerPid } from '../harness/train.ts';

const token = 'a-secret-that-nobody-sees';
const recipe = ['--recipe', 'mnist-logistic', '--steps', '20', '--batch-size', '64'];
let folder: TemporaryFolder;

beforeAll(async () => {
  folder = await createTemporaryFolder();
});
afterAll(() => folder[Symbol.asyncDispose]());

async function startCoordinator(...args: string[]): Promise<GradwireProcess & { address: string }> {
  const runDir = join(folder.path, 'runs');
  const cache = ['--cache-dir', join(folder.path, 'coordinator')];
  const command = ['coordinator', ...recipe, '--port', '0', '--run-dir', runDir, ...cache, ...args];
  const coordinator = startGradwire(command, { cwd: folder.path });
  const [, address = ''] = await coordinator.said(/^ {2}gradwire worker (wss?:\/\/127\.0\.0\.1:\d+#\S+)$/m);
  return Object.assign(coordinator, { address });
}

test('TLS with a certificate of our own: the printed command works, data included', async () => {
  await using coordinator = await startCoordinator('--tls', 'self-signed');
  expect(coordinator.address).toMatch(/^wss:.*#[\w-]+,[0-9a-f]{64}$/);
  const cache = ['--cache-dir', join(folder.path, 'worker'), '--fetch-data'];
  const worker = await runGradwire(['worker', coordinator.address, ...cache], { cwd: folder.path });
  expect(worker.code, worker.stderr).toBe(0);
  expect(await coordinator.exited).toBe(0);
  const summary = await readSummary(join(folder.path, 'runs', 'latest'));
  expect(summary).toMatchObject({ outcome: 'finished', exact: true });
});

test('a coordinator with another certificate is found out, with exit code 6', async () => {
  await using coordinator = await startCoordinator('--tls', 'self-signed');
  const wrong = coordinator.address.replace(/,./, (start) => (start === ',0' ? ',1' : ',0'));
  const worker = await runGradwire(['worker', wrong], { cwd: folder.path });
  expect(worker.stderr).toContain('not the coordinator of this token: its certificate has the fingerprint');
  expect(worker.code).toBe(6);
});

test('workers of one command use TLS as well', async () => {
  const cache = join(folder.path, 'both');
  const summary = await train([...recipe, '--workers', '2', '--tls', 'self-signed', '--cache-dir', cache]);
  expect(summary).toMatchObject({ outcome: 'finished', exact: true });
});

/** What `ps` shows of a process. */
async function commandLine(pid: number): Promise<string> {
  return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ').trim();
}

const hasProc = process.platform === 'linux';

test.skipIf(!hasProc)(
  'a token on the command line is in the list of processes for a moment only',
  async () => {
    const place = ['--port', '0', '--run-dir', join(folder.path, 'titled'), '--token', token];
    await using coordinator = startGradwire(['coordinator', '--json', ...recipe, ...place]);
    await coordinator.line(({ event }) => event === 'listening');
    expect(await commandLine(coordinator.child.pid ?? 0)).toBe('gradwire coordinator');
  },
);

test.skipIf(!hasProc)(
  'no token in the list of processes, in what is said, or in the run folder',
  async () => {
    const tokenFile = join(folder.path, 'token');
    await writeFile(tokenFile, `${token}\n`);
    const runDir = join(folder.path, 'watched');
    await train([...recipe, '--workers', '1', '--steps', '1000', '--token-file', tokenFile], {
      runDir,
      during: async (run) => {
        const { port } = await run.line(({ event }) => event === 'listening');
        const first = await workerPid(run, 'worker-1');
        await stepDone(run, 1);
        process.kill(first, 'SIGSTOP');
        try {
          await using guest = startGradwire(['worker', `ws://127.0.0.1:${port}#${token}`, '--name', 'guest']);
          await run.line(({ event, worker }) => event === 'worker-joined' && worker === 'guest');
          const guestPid = guest.child.pid ?? 0;
          for (const pid of [run.child.pid ?? 0, first, guestPid]) {
            expect(await commandLine(pid)).not.toContain(token);
          }
          expect(await commandLine(guestPid)).toBe(`gradwire worker ws://127.0.0.1:${port}`);
          expect(`${guest.output.stdout}${guest.output.stderr}`).not.toContain(token);
        } finally {
          process.kill(first, 'SIGCONT');
        }
        expect(`${run.output.stdout}${run.output.stderr}`).not.toContain(token);
      },
    });
    for (const file of ['summary.json', 'metrics.jsonl', 'ledger.jsonl', 'recipe.json', 'report.html']) {
      expect(await readFile(join(runDir, 'latest', file), 'utf8'), file).not.toContain(token);
    }
  },
);

test('other machines can only reach a run with a strong token', async () => {
  const args = ['--host', '0.0.0.0', '--port', '0', '--token', 'too-short'];
  const { code, stderr } = await runGradwire(['coordinator', ...recipe, ...args], { cwd: folder.path });
  expect(stderr).toContain('other machines can reach 0.0.0.0: expected a token of at least 16 characters');
  expect(code).toBe(2);
});
