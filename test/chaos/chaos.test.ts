import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

// A bounded share, in which every scenario must have done some harm: `npm run chaos` has more scenarios and takes its time, docs/reliability.md has its figures.
const script = fileURLToPath(new URL('./run.mjs', import.meta.url));

interface Result {
  readonly name: string;
  readonly wrong?: string;
  readonly weightsSha256?: string;
}

test('killed, stopped, away for a while, and bytes damaged on the wire and on disk: the weights of the calm run', {
  timeout: 900_000,
}, async () => {
  const names = ['kill', 'stop', 'away', 'corrupt'];
  const args = [script, ...names, '--steps', '300', '--scale', '0.1', '--seed', '3', '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, args).catch(
    (error: { stdout: string }) => error,
  );
  const results = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Result);

  expect(results.map(({ name }) => name)).toEqual(['calm', ...names]);
  expect(results.filter(({ wrong }) => wrong !== undefined)).toEqual([]);
});
