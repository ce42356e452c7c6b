import { expect, test } from 'vitest';
import { runGradwire } from '../harness/gradwire.ts';

test('100,000 seeds keep every promise, twice with one trace, and every kind of fault strikes', {
  timeout: 1_200_000,
}, async () => {
  const args = ['simulate', '--seeds', '100000', '--json'];
  const { code, stdout } = await runGradwire(args);
  const { seeds, broken, faults } = JSON.parse(stdout) as {
    seeds: number;
    broken: readonly unknown[];
    faults: Record<string, number>;
  };
  expect(broken).toEqual([]);
  expect(code).toBe(0);
  expect(seeds).toBe(100_000);
  for (const [kind, times] of Object.entries(faults)) expect(times, kind).toBeGreaterThan(100);
});

async function report(threads: number): Promise<unknown> {
  const { stdout } = await runGradwire(['simulate', '--seeds', '300', '--threads', `${threads}`, '--json']);
  return JSON.parse(stdout);
}

test('the report does not depend on the threads, and one seed shows everything that happens in it', async () => {
  expect(await report(1)).toEqual(await report(2));
  const { code, stdout } = await runGradwire(['simulate', '--seed', '7', '--trace']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/event +\{"type":"worker-joined"/);
  expect(stdout).toMatch(
    /effect +\{"type":"end","outcome":"finished"\}\nNo promise was broken.\nhash: [0-9a-f]{16}\n$/,
  );
});
