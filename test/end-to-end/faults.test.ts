import { expect, test } from 'vitest';
import { startGradwire } from '../harness/gradwire.ts';
import { train } from '../harness/train.ts';

const args = ['--backend', 'wasm', '--recipe', 'mnist-cnn-small', '--steps', '60', '--batch-size', '64'];
const calm = await train([...args, '--workers', '1']);

test('a worker killed half-way leaves no trace in the weights', async () => {
  const summary = await train([...args, '--workers', '3'], {
    during: async (run) => {
      const { pid } = (await run.line(({ event, name }) => event === 'started' && name === 'worker-2')) as {
        pid: number;
      };
      await run.line(({ event, record }) => event === 'step' && (record as { step: number }).step >= 15);
      process.kill(pid, 'SIGKILL');
      await run.line(
        ({ event, worker, why }) => event === 'worker-left' && worker === 'worker-2' && why === 'lost',
      );
      await run.line(
        ({ event, worker, again }) => event === 'worker-joined' && worker === 'worker-2' && again === true,
      );
    },
  });
  expect(summary.weightsSha256).toBe(calm.weightsSha256);
  expect(summary.samplesSeen).toBe(60 * 64);
});

test('a worker that joins half-way does its share and leaves no trace', async () => {
  const port = '0';
  const summary = await train([...args, '--workers', '1', '--port', port, '--token', 'join-token'], {
    during: async (run) => {
      const listening = await run.line(({ event }) => event === 'listening');
      await run.line(({ event, record }) => event === 'step' && (record as { step: number }).step >= 10);
      await using late = startGradwire([
        'worker',
        `ws://127.0.0.1:${listening['port']}#join-token`,
        '--name',
        'late',
        '--backend',
        'wasm',
      ]);
      expect(await late.exited).toBe(0);
    },
  });
  expect(summary.weightsSha256).toBe(calm.weightsSha256);
  expect(summary.workers.find(({ name }) => name === 'late')?.leases).toBeGreaterThan(0);
});
