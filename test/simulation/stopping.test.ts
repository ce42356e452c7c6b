import { expect, test } from 'vitest';
import { startGradwire } from '../harness/gradwire.ts';

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s stops a trace in the middle of a large run, exit code %i', async (signal, code) => {
  await using run = startGradwire(['simulate', '--size', '1000x1000', '--trace', '--json']);
  await run.line(() => true);
  run.child.kill(signal);
  expect(await run.exited).toBe(code);
  expect(run.output.stderr).toBe('');
  expect(run.output.stdout).not.toContain('"hash"');
});
