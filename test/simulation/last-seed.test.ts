import { expect, test } from 'vitest';
import { runGradwire } from '../harness/gradwire.ts';

const last = ['simulate', '--seed', '4294967295'];

test('there are no seeds after the last one', async () => {
  const { code, stderr } = await runGradwire([...last, '--seeds', '2']);
  expect(code).toBe(2);
  expect(stderr).toMatch(
    /expected a last seed of at most 4294967295, found 4294967296 .*\n.*--seeds 1 at most/,
  );
});

test('the last seed is simulated, alone and as a trace', async () => {
  expect(await runGradwire([...last, '--seeds', '1'])).toMatchObject({ code: 0 });
  expect(await runGradwire([...last, '--trace'])).toMatchObject({ code: 0 });
});
