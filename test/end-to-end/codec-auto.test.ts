import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type GradwireProcess, startGradwire } from '../harness/gradwire.ts';
import { startTcpProxy } from '../harness/tcp-proxy.ts';
import { stepDone } from '../harness/train.ts';
import { createTemporaryFolder } from '../harness/temporary-folder.ts';

const auto = ['--codec', 'auto', '--lossy'];

function startHost(runDir: string, args: readonly string[]): GradwireProcess {
  return startGradwire(['coordinator', '--json', '--token', 'auto-token', '--run-dir', runDir, ...args]);
}

async function portOf(host: GradwireProcess, event: 'measuring' | 'listening'): Promise<number> {
  return (await host.line((line) => line.event === event)).port as number;
}

async function readJson(...path: string[]): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(join(...path), 'utf8')) as Record<string, unknown>;
}

test('auto measures the first worker: bytes are saved on a slow link, and a run that goes on keeps its choice', async () => {
  await using folder = await createTemporaryFolder();
  const recipe = ['--recipe', 'mnist-mlp', '--port', '0', ...auto];

  await using near = startHost(folder.path, [...recipe, '--steps', '3']);
  await using quick = startGradwire([
    'worker',
    `ws://127.0.0.1:${await portOf(near, 'measuring')}#auto-token`,
  ]);
  expect(await Promise.all([near.exited, quick.exited])).toEqual([0, 0]);
  const choice = await near.line(({ event }) => event === 'codec-chosen');
  // Float32, unless a busy machine has made one of the trials slow.
  const { codec: used = {} } = await readJson(folder.path, 'latest', 'recipe.json');
  expect(used, choice.reason as string).toEqual(choice.codec);

  await using far = startHost(folder.path, [...recipe, '--steps', '12']);
  const port = await portOf(far, 'measuring');
  await using link = await startTcpProxy(port, 4e6);
  await using slow = startGradwire(['worker', `ws://127.0.0.1:${link.port}#auto-token`]);
  const { codec, reason } = await far.line(({ event }) => event === 'codec-chosen');
  // On a busy machine their times hardly differ.
  expect(codec, reason as string).toMatchObject({
    gradients: { type: expect.stringMatching(/^(bfloat16|int8)$/) as string },
    weights: 'bfloat16',
  });
  // 0.43 MB at 4 Mbit/s, there and back: 1.7 s at least as float32.
  const [, plainMs, halfMs] = /: float32 ([\d.]+) ms, bfloat16 ([\d.]+) ms/.exec(reason as string) ?? [];
  expect(Number(plainMs)).toBeGreaterThan(1_600);
  expect(Number(halfMs)).toBeLessThan(0.8 * Number(plainMs));
  const run = join(folder.path, 'latest');
  await stepDone(far, 2);
  far.child.kill('SIGKILL');
  await far.exited;
  const claim = await readJson(run, 'coordinator.json');
  expect(claim).toMatchObject({ port, settings: { codecAuto: reason } });

  await using again = startHost(folder.path, ['--resume', run, ...auto]);
  expect(await Promise.all([again.exited, slow.exited])).toEqual([0, 0]);
  expect(again.output.stderr).toContain(`codec auto, as before: ${String(reason)}`);
  expect(again.output.stdout).not.toContain('"measuring"');
  expect(await readJson(run, 'recipe.json')).toMatchObject({ codec });
  expect(await readJson(run, 'summary.json')).toMatchObject({ outcome: 'finished', steps: 12 });
}, 300_000);
