import { expect, test } from 'vitest';
import { runGradwire } from '../harness/gradwire.ts';

const commands = [
  'train',
  'coordinator',
  'worker',
  'evaluate',
  'predict',
  'audit',
  'diff',
  'reproduce',
  'recipes',
  'plan',
  'simulate',
  'doctor',
  'status',
  'explain',
  'drain',
  'native',
  'native install',
  'native status',
];

test.each(commands)('%s --help has examples of the command itself', async (command) => {
  const { code, stdout } = await runGradwire([...command.split(' '), '--help']);
  expect(code).toBe(0);
  expect(stdout).toMatch(new RegExp(`^Usage: gradwire ${command} `));
  const [, examples = ''] = stdout.split('\nExamples:\n');
  const lines = examples.split('\n').filter((line) => line.trim() !== '');
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines) expect(line).toMatch(new RegExp(`^  ([A-Z_]+=\\S+ )?gradwire ${command}`));
});

test('gradwire --help lists every command, and --version says the version', async () => {
  const { code, stdout } = await runGradwire(['--help']);
  expect(code).toBe(0);
  for (const command of commands) expect(stdout).toMatch(new RegExp(`^  ${command.split(' ')[0]}\\b`, 'm'));
  expect((await runGradwire(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test.each([
  { args: ['trian'], found: "unknown command 'trian'", suggestion: 'train' },
  { args: ['train', '--worker', '2'], found: "unknown option '--worker'", suggestion: '--workers' },
  { args: ['recipes', '--jsn'], found: "unknown option '--jsn'", suggestion: '--json' },
  { args: ['native', 'instal'], found: "unknown command 'instal'", suggestion: 'install' },
])('$args is refused with a suggestion and code 2', async ({ args, found, suggestion }) => {
  const { code, stdout, stderr } = await runGradwire(args);
  expect(stderr).toContain(found);
  expect(stderr).toContain(`Did you mean ${suggestion}?`);
  expect(code).toBe(2);
  expect(stdout).toBe('');
});

test.each([
  { args: ['train', '--workers', '0'], found: 'Expected a whole number from 1' },
  { args: ['train', '--port', '65536'], found: 'Expected a port from 0 to 65535' },
  { args: ['train', '--backend', 'gpu'], found: 'Allowed choices are auto, native, wasm' },
  { args: ['train', '--recipe', 'mnist-cn'], found: 'mnist-cnn' },
  { args: ['train', '--local-steps', '8'], found: '--local-steps belongs to --strategy local-sgd or diloco' },
  { args: ['plan', '--link', 'slow'], found: 'Expected rate and round-trip time, for example 20mbit,50ms' },
  { args: ['worker', 'localhost:8787'], found: 'expected an address like ws://host:port#token' },
  { args: ['worker', 'ws://127.0.0.1:9'], found: 'has no join token' },
  { args: ['worker'], found: "missing required argument 'url'" },
])('$args is refused with code 2', async ({ args, found }) => {
  const { code, stdout, stderr } = await runGradwire(args);
  expect(stderr).toContain(found);
  expect(code).toBe(2);
  expect(stdout).toBe('');
});
