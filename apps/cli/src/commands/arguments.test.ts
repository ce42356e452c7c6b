import { Command } from 'commander';
import { expect, test } from 'vitest';
import { createConsole } from '../output/console.ts';
import type { CommandContext } from './command.ts';
import { doctorCommand } from './doctor.ts';
import { evaluateCommand } from './evaluate.ts';
import { nativeCommand } from './native.ts';
import { planCommand } from './plan.ts';
import { predictCommand } from './predict.ts';
import { recipesCommand } from './recipes.ts';

/** Runs a command with what it prints kept; stderr is thrown away. */
async function run(create: (context: CommandContext) => Command, args: string[]): Promise<string[]> {
  const printed: string[] = [];
  const program = new Command('gradwire')
    .exitOverride()
    .configureOutput({ writeOut: (text) => printed.push(text), writeErr: () => {} });
  const context: CommandContext = {
    console: {
      ...createConsole(),
      say: () => {},
      print: (text) => void printed.push(text),
      json: (value) => void printed.push(JSON.stringify(value)),
    },
    signal: new AbortController().signal,
    program,
    isSetting: async () => false,
    exit: () => {},
  };
  await create(context).copyInheritedSettings(program).parseAsync(args, { from: 'user' });
  return printed;
}

test.each([
  ['--images', '--labels'],
  ['--labels', '--images'],
])('evaluate: %s without %s is refused before anything is read', async (given, missing) => {
  await expect(run(evaluateCommand, ['nowhere', given, 'file'])).rejects.toMatchObject({
    code: 'OPTION_INVALID',
    message: expect.stringContaining(`${missing} is not`),
  });
});

test.each([
  ['evaluate', evaluateCommand, ['no-such-run']],
  ['predict', predictCommand, ['no-such-run', 'digit.png']],
] as const)('%s: a model that is not there is named', async (_, create, args) => {
  await expect(run(create, [...args])).rejects.toMatchObject({
    code: 'DATA_NOT_FOUND',
    message: expect.stringContaining('no-such-run'),
  });
});

test.each([
  ['evaluate', evaluateCommand, []],
  ['predict', predictCommand, ['runs/latest']],
] as const)('%s: a missing argument is refused', async (_, create, args) => {
  await expect(run(create, [...args])).rejects.toMatchObject({ code: 'commander.missingArgument' });
});

test.each([
  ['evaluate', evaluateCommand],
  ['predict', predictCommand],
  ['recipes', recipesCommand],
  ['plan', planCommand],
  ['doctor', doctorCommand],
  ['native', nativeCommand],
] as const)('%s: --help has examples, and an unknown option is refused', async (name, create) => {
  const help: string[] = [];
  const context = { program: new Command('gradwire') } as CommandContext;
  create(context)
    .configureOutput({ writeOut: (text) => help.push(text) })
    .outputHelp();
  expect(help.join('')).toContain(`Examples:\n  gradwire ${name}`);
  const args = name === 'native' ? ['status'] : ['a', 'b'];
  await expect(run(create, [...args, '--jsom'])).rejects.toMatchObject({ code: 'commander.unknownOption' });
});

test('recipes: a mistyped name gets a suggestion', async () => {
  await expect(run(recipesCommand, ['mnist-cn'])).rejects.toMatchObject({
    code: 'OPTION_INVALID',
    message: expect.stringContaining('did you mean mnist-cnn?'),
  });
});

test('recipes --json is one document, in full with shapes and counts', async () => {
  const [list = '', ...none] = await run(recipesCommand, ['--json']);
  expect(none).toEqual([]);
  expect(JSON.parse(list)).toMatchObject({
    recipes: expect.arrayContaining([expect.objectContaining({ name: 'mnist-mlp' })]),
  });
  const [full = ''] = await run(recipesCommand, ['mnist-cnn', '--json']);
  expect(JSON.parse(full)).toMatchObject({
    recipe: { name: 'mnist-cnn' },
    parameters: 225_034,
    layers: [{ name: 'conv2d_1', outputShape: [26, 26, 32], parameters: 320 }, {}, {}, {}, {}, {}, {}],
  });
});

test('recipes --explain shows the blocks of a network, and needs its name', async () => {
  const [text = '', ...none] = await run(recipesCommand, ['--explain', 'mnist-cnn']);
  expect(none).toEqual([]);
  expect(text).toMatch(/total +225,034 +2,631,040/);
  const [json = ''] = await run(recipesCommand, ['mnist-deep', '--explain', '--json']);
  expect(JSON.parse(json)).toMatchObject({
    recipe: 'mnist-deep',
    blocks: expect.arrayContaining([
      { path: 'block', layers: [expect.objectContaining({ name: 'dense_1' })] },
    ]),
  });
  await expect(run(recipesCommand, ['--explain'])).rejects.toMatchObject({ code: 'OPTION_INVALID' });
});
