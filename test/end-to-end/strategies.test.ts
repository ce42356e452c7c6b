import { expect, test } from 'vitest';
import { startGradwire } from '../harness/gradwire.ts';
import { stepDone, train, workerPid } from '../harness/train.ts';

const diloco = ['--recipe', 'mnist-logistic', '--strategy', 'diloco', '--local-steps', '5', '--steps', '40'];

test('diloco with real processes: one worker, three, and a killed one give the same bits', async () => {
  const alone = await train([...diloco, '--workers', '1']);
  expect(alone).toMatchObject({ steps: 40, samplesSeen: 40 * 5 * 128, exact: true });
  const three = await train([...diloco, '--workers', '3']);
  const killed = await train([...diloco, '--workers', '2'], {
    async during(run) {
      const pid = await workerPid(run, 'worker-1');
      await stepDone(run, 1);
      process.kill(pid, 'SIGKILL');
    },
  });
  expect([three.weightsSha256, killed.weightsSha256]).toEqual([alone.weightsSha256, alone.weightsSha256]);
});

test('plan predicts, recommends a command, and tries both out behind the link', async () => {
  const args = ['--recipe', 'mnist-logistic', '--workers', '2', '--link', '20mbit,40ms', '--run-steps', '4'];
  await using run = startGradwire(['plan', '--json', ...args], {});
  expect(await run.exited).toBe(0);
  const { recommended, command, candidates, trials } = JSON.parse(run.output.stdout) as Plan;
  expect(candidates[0]?.waitingShare).toBeGreaterThan(0.1);
  expect(recommended.strategy.type).toBe('diloco');
  expect(command).toContain(
    `gradwire coordinator --host 0.0.0.0 --recipe mnist-logistic --strategy diloco --local-steps ${recommended.strategy.localSteps}`,
  );
  expect(trials.map(({ strategy }) => strategy.type)).toEqual(['synchronous', 'diloco']);
  // The link alone takes 40 ms of any step.
  for (const { stepMs } of trials) expect(stepMs).toBeGreaterThan(38);
});

interface Plan {
  readonly recommended: { readonly strategy: { readonly type: string; readonly localSteps?: number } };
  readonly command: string;
  readonly candidates: readonly { readonly waitingShare: number }[];
  readonly trials: readonly { readonly strategy: { readonly type: string }; readonly stepMs: number }[];
}
