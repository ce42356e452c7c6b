import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { CommandContext } from '../commands/command.ts';
import { commonOptions, options } from './options.ts';
import { prepareSettings } from './prepare-settings.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gradwire-settings-'));
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

interface Given {
  readonly flags?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly file?: Readonly<Record<string, unknown>>;
}

/** The settings of a command that has the options which the tests are about. */
async function prepare({ flags = [], environment = {}, file = {} }: Given): Promise<object | undefined> {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const command = new Command('train').exitOverride().configureOutput({ writeErr: () => {} });
  const { runDir, resume, cacheDir, dataDir, token, tokenFile, exact, lossy, name } = options;
  for (const option of [runDir, resume, cacheDir, dataDir, token, tokenFile, exact, lossy, name])
    command.addOption(option());
  command.addOption(options.host('127.0.0.1')).addOption(commonOptions.config());
  const config = join(folder, 'settings.json');
  await writeFile(config, JSON.stringify(file));
  command.parse([...flags, '--config', config], { from: 'user' });
  return prepareSettings(command, { isSetting: async () => false } as unknown as CommandContext);
}

const invalidArgument = { code: 'commander.invalidArgument' };
const optionInvalid = { code: 'OPTION_INVALID' };

const fromFlag = ['--token', 'token-of-a-flag'];
const inFile = ['--token-file', '/secrets/token'];

test('a token from a flag goes before one from the environment, and that before one from the settings file', async () => {
  const environment = { GRADWIRE_TOKEN: 'token-of-a-variable' };
  const variable = { token: 'token-of-a-variable', tokenFile: undefined };
  expect(await prepare({ flags: inFile, environment })).toMatchObject({
    token: undefined,
    tokenFile: '/secrets/token',
  });
  expect(await prepare({ environment, file: { tokenFile: '/other' } })).toMatchObject(variable);
  expect(
    await prepare({ flags: fromFlag, environment: { GRADWIRE_TOKEN_FILE: '/secrets/token' } }),
  ).toMatchObject({ token: 'token-of-a-flag', tokenFile: undefined });
});

test('--token and --token-file are one choice', async () => {
  await expect(prepare({ flags: [...fromFlag, ...inFile] })).rejects.toMatchObject({
    ...optionInvalid,
    message: expect.stringContaining('--token-file'),
  });
});

test.each(['host', 'run-dir', 'resume', 'cache-dir', 'data-dir'])(
  'an empty --%s is refused',
  async (name) => {
    await expect(prepare({ flags: [`--${name}`, ''] })).rejects.toMatchObject(invalidArgument);
    const key = name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
    await expect(prepare({ file: { [key]: '' } })).rejects.toMatchObject(optionInvalid);
    const variable = `GRADWIRE_${name.replace('-', '_').toUpperCase()}`;
    await expect(prepare({ environment: { [variable]: ' ' } })).rejects.toMatchObject(invalidArgument);
  },
);

test.each<[string | number | boolean, boolean]>([
  ['true', true],
  ['1', true],
  [1, true],
  [true, true],
  ['false', false],
  ['0', false],
  [0, false],
  [false, false],
])('a switch that is %j counts as %j', async (value, expected) => {
  expect(await prepare({ file: { exact: value } })).toMatchObject({ exact: expected });
  const environment = { GRADWIRE_EXACT: String(value) };
  expect(await prepare({ environment, file: { exact: !expected } })).toMatchObject({ exact: expected });
});

test('a flag switches on, whatever the environment says', async () => {
  expect(await prepare({ flags: ['--exact'], environment: { GRADWIRE_EXACT: 'false' } })).toMatchObject({
    exact: true,
  });
});

test.each(['no', '', '2'])('a switch that is "%s" is refused', async (value) => {
  const message = expect.stringContaining(`is "${value}"`);
  const hint = 'Expected true, false, 1 or 0.';
  const refusal = { ...optionInvalid, message, hint };
  await expect(prepare({ environment: { GRADWIRE_EXACT: value } })).rejects.toMatchObject(refusal);
  await expect(prepare({ file: { lossy: value } })).rejects.toMatchObject(refusal);
});

test.each(['', '  ', 'x'.repeat(101), 'bell\u0007', 'two\nlines', 'half \ud83d'])(
  'a worker cannot be called %j',
  async (name) => {
    await expect(prepare({ flags: ['--name', name] })).rejects.toMatchObject(invalidArgument);
    await expect(prepare({ file: { name } })).rejects.toMatchObject(optionInvalid);
  },
);

test.each(['a', 'x'.repeat(100), 'Dachboden №2 🐢'])('a worker may be called %j', async (name) => {
  expect(await prepare({ flags: ['--name', name] })).toMatchObject({ name });
});
