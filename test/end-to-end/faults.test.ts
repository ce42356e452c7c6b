import { beforeAll, expect, test } from 'vitest';
import { startGradwire } from '../harness/gradwire.ts';
import { stepDone, train, workerPid } from '../harness/train.ts';

const args = ['--backend', 'wasm', '--recipe', 'mnist-cnn-small', '--steps', '60', '--batch-size', '64'];
let calm: string;

beforeAll(async () => {
  calm = (await train([...args, '--workers', '1'])).weightsSha256;
});

test('one of three workers killed half-way leaves no trace in the weights', async () => {
  const summary = await train([...args, '--workers', '3'], {
    during: async (run) => {
      await run.line(({ event, worker }) => event === 'worker-joined' && worker === 'worker-2');
      await stepDone(run, 15);
      process.kill(await workerPid(run, 'worker-2'), 'SIGKILL');
      await run.line(({ event, worker }) => event === 'worker-left' && worker === 'worker-2');
    },
  });
  expect(summary).toMatchObject({ weightsSha256: calm, samplesSeen: 60 * 64, exact: true });
});

test('the only worker killed: it is started again, the run goes on, the weights are the same', async () => {
  const summary = await train([...args, '--workers', '1'], {
    during: async (run) => {
      await stepDone(run, 15);
      process.kill(await workerPid(run, 'worker-1'), 'SIGKILL');
      expect(await run.line(({ event }) => event === 'worker-left')).toMatchObject({
        why: 'lost',
        workers: 0,
      });
      expect(await run.line(({ event }) => event === 'died')).toMatchObject({
        name: 'worker-1',
        cause: 'was killed by SIGKILL',
        willRestart: true,
      });
      await run.said(/worker-1 came back/);
    },
  });
  expect(summary).toMatchObject({ weightsSha256: calm, samplesSeen: 60 * 64, exact: true });
});

test('a worker that joins half-way does its share and leaves no trace', async () => {
  const summary = await train([...args, '--workers', '1', '--token', 'join-token'], {
    during: async (run) => {
      const { port } = await run.line(({ event }) => event === 'listening');
      await stepDone(run, 10);
      // The first worker rests until the second is there: else the run could be over before.
      const first = await workerPid(run, 'worker-1');
      process.kill(first, 'SIGSTOP');
      const url = `ws://127.0.0.1:${port}#join-token`;
      await using late = startGradwire(['worker', url, '--name', 'late', '--backend', 'wasm']);
      try {
        await run.line(({ event, worker }) => event === 'worker-ready' && worker === 'late');
      } finally {
        process.kill(first, 'SIGCONT');
      }
      expect(await late.exited, late.output.stderr).toBe(0);
      expect(late.output.stderr).toContain('the run has finished');
    },
  });
  expect(summary).toMatchObject({ weightsSha256: calm, exact: true });
  expect(summary.workers.find(({ name }) => name === 'late')?.leases).toBeGreaterThan(0);
});

test('a worker that gets SIGTERM leaves with code 143, and the run goes on without it', async () => {
  const summary = await train([...args, '--workers', '1', '--token', 'join-token'], {
    during: async (run) => {
      const { port } = await run.line(({ event }) => event === 'listening');
      const url = `ws://127.0.0.1:${port}`;
      const env = { GRADWIRE_TOKEN: 'join-token' };
      await using guest = startGradwire(['worker', url, '--name', 'guest', '--backend', 'wasm'], { env });
      const first = await workerPid(run, 'worker-1');
      await stepDone(run, 2);
      process.kill(first, 'SIGSTOP');
      try {
        await run.line(({ event, worker }) => event === 'worker-ready' && worker === 'guest');
        guest.child.kill('SIGTERM');
        expect(await run.line(({ event }) => event === 'worker-left')).toMatchObject({
          worker: 'guest',
          why: 'leave',
        });
      } finally {
        process.kill(first, 'SIGCONT');
      }
      expect(await guest.exited, guest.output.stderr).toBe(143);
    },
  });
  expect(summary).toMatchObject({ outcome: 'finished', weightsSha256: calm });
});
