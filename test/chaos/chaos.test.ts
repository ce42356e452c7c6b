import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

// A bounded share: `npm run chaos` has more scenarios and takes its time, docs/reliability.md has its figures.
const script = fileURLToPath(new URL('./run.mjs', import.meta.url));

interface Result {
  readonly name: string;
  readonly wrong?: string;
  readonly weightsSha256?: string;
  readonly pauses?: readonly number[];
}

test('workers killed and replaced, or stopped: the weights of the calm run', {
  timeout: 480_000,
}, async () => {
  const names = ['kill', 'stop'];
  const args = [script, ...names, '--steps', '100', '--scale', '0.2', '--seed', '3', '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, args).catch(
    (error: { stdout: string }) => error,
  );
  const results = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Result);

  expect(results.map(({ name }) => name)).toEqual(['calm', ...names]);
  expect(results.filter(({ wrong }) => wrong !== undefined)).toEqual([]);
  // Harm was done at all.
  const kill = results.find(({ name }) => name === 'kill');
  expect(kill?.pauses?.length).toBeGreaterThan(0);
});
