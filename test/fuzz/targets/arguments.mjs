import { writeFile } from 'node:fs/promises';
import { Command, CommanderError } from 'commander';
import * as fc from 'fast-check';
import { load } from '../load.mjs';
import { jsonOf, valuesFrom } from '../mutate.mjs';

const names = ['train', 'coordinator', 'worker', 'evaluate', 'predict', 'recipes', 'plan', 'doctor'];
const flags = [
  '--recipe',
  '--workers',
  '--threads',
  '--backend',
  '--epochs',
  '--steps',
  '--batch-size',
  '--shards',
  '--seed',
  '--strategy',
  '--local-steps',
  '--max-staleness',
  '--link',
  '--data-dir',
  '--run-dir',
  '--cache-dir',
  '--host',
  '--port',
  '--token',
  '--name',
  '--images',
  '--labels',
  '--json',
  '--fetch-data',
  '--explain',
  '--help',
  '--',
  '-h',
];
const values = [
  '1',
  '0',
  '-1',
  '1e3',
  '0x10',
  '4294967296',
  '99999999999999999999',
  'NaN',
  '',
  ' ',
  'mnist-cnn',
  'mnist-cn',
  'auto',
  'wasm',
  'diloco',
  'synchronous',
  '20mbit,50ms',
  '20mbit',
  ',',
  'ws://127.0.0.1:1#abcdefgh',
  'ws://',
  'http://x',
  '../..',
  '__proto__',
  'constructor',
  'toString',
  '\u0000',
  '🙂',
  'x'.repeat(2_000),
  './recipe.json',
  './none.json',
  './none.mjs',
];
const settings = {
  workers: 2,
  batchSize: 128,
  recipe: 'mnist-cnn',
  backend: 'wasm',
  token: 'abcdefgh',
  json: true,
  port: 0,
};

/** Command lines and settings files, up to the moment at which the command would begin its work. */
export async function createTarget() {
  const creates = await Promise.all(
    names.map(async (name) => (await load(`apps/cli/dist/commands/${name}.js`))[`${name}Command`]),
  );
  const value = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...values) },
    { weight: 1, arbitrary: fc.string({ maxLength: 12 }) },
  );
  const argument = fc.oneof(
    fc.tuple(fc.constantFrom(...flags), value),
    fc.tuple(fc.constantFrom(...flags), value).map(([flag, text]) => [`${flag}=${text}`]),
    fc.constantFrom(...flags).map((flag) => [flag]),
    value.map((text) => [text]),
  );
  return {
    inputs: fc.record({
      name: fc.constantFrom(...names.keys()),
      args: fc.array(argument, { maxLength: 5 }).map((parts) => parts.flat()),
      file: fc.oneof(
        { weight: 3, arbitrary: fc.constant(undefined) },
        { weight: 1, arbitrary: valuesFrom([settings]) },
      ),
    }),
    codes: ['OPTION_INVALID', 'RECIPE_INVALID', 'DATA_NOT_FOUND'],
    async run({ name, args, file }) {
      if (file !== undefined) await writeFile('settings.json', jsonOf(file));
      const config = file === undefined ? [] : ['--config', 'settings.json'];
      try {
        await parse(creates[name], ['--print-config', ...config, ...args]);
      } catch (error) {
        // Commander has its own errors for usage: `main` prints them and exits with 0 or 2.
        if (!(error instanceof CommanderError)) throw error;
      }
    },
  };
}

const silent = () => undefined;

const isSetting = async () => false;

async function parse(create, args) {
  const program = new Command('gradwire')
    .exitOverride()
    .configureOutput({ writeOut: silent, writeErr: silent });
  const console = {
    isTerminal: false,
    columns: 80,
    say: silent,
    live: silent,
    settle: silent,
    print: silent,
    json: silent,
  };
  const context = { console, signal: AbortSignal.abort(), program, isSetting, exit: silent };
  const command = create(context).copyInheritedSettings(program);
  program.addCommand(command);
  await command.parseAsync(args, { from: 'user' });
}
