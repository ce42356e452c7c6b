import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

// A bounded share: `npm run fuzz` runs 100,000 cases of each, docs/reliability.md has its figures.
const cases = 300;
const script = fileURLToPath(new URL('./run.mjs', import.meta.url));
const targets = readdirSync(new URL('./targets', import.meta.url)).map((file) => file.replace('.mjs', ''));

interface Report {
  readonly cases: number;
  readonly accepted: number;
  readonly finding?: unknown;
}

test.each(targets)('%s: bad input gives a value or a documented error', async (target) => {
  const args = [script, target, '--cases', `${cases}`, '--seed', '5', '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, args).catch(
    (error: { stdout: string }) => error,
  );
  const { finding, ...report } = JSON.parse(stdout) as Report;
  expect(finding).toBeUndefined();
  expect(report.cases).toBe(cases);
  // Input that is always refused at once would try nothing.
  expect(report.accepted).toBeGreaterThan(0);
});
