import { Command, Option } from 'commander';
import { installNative, probeBackends } from '@gradwire/backend';
import { defaultCacheDirectory } from '@gradwire/data/node';
import { exitCodes } from '../exit-codes.ts';
import { commonOptions, options } from '../settings/options.ts';
import { prepareSettings } from '../settings/prepare-settings.ts';
import type { CommandContext } from './command.ts';

interface InstallSettings {
  readonly source: 'any' | 'package' | 'wheel';
  readonly cacheDir?: string;
  readonly json?: boolean;
}

/** `gradwire native`. */
export function nativeCommand(context: CommandContext): Command {
  const command = new Command('native')
    .description('The optional native backend (TensorFlow in C++): install it, or ask whether it works.')
    .addHelpText('after', examples);
  for (const part of [installCommand(context), statusCommand(context)]) {
    command.addCommand(part.copyInheritedSettings(context.program));
  }
  return command;
}

function installCommand(context: CommandContext): Command {
  const command = new Command('install')
    .description("Fetch TensorFlow's library and complete the native backend.")
    .addOption(
      new Option(
        '--source <name>',
        "where from: the package's own download, PyPI's wheel, or one after the other",
      )
        .choices(['any', 'package', 'wheel'])
        .default('any'),
    )
    .addOption(options.cacheDir())
    .addHelpText('after', installExamples);
  for (const option of Object.values(commonOptions)) command.addOption(option());
  return command.action(async () => {
    const settings = await prepareSettings<InstallSettings>(command, context);
    if (settings !== undefined) await install(settings, context);
  });
}

async function install({ source, cacheDir, json }: InstallSettings, context: CommandContext): Promise<void> {
  const { console, signal } = context;
  await installNative({
    source,
    cacheDirectory: cacheDir ?? defaultCacheDirectory(),
    signal,
    onEvent: ({ step, message }) => console.say(`${console.colors.dim(step.padEnd(8))}  ${message}`),
  });
  await report(context, json === true);
}

function statusCommand(context: CommandContext): Command {
  const command = new Command('status')
    .description('Say whether the native backend works, and why not (exit code 8).')
    .addHelpText('after', statusExamples);
  for (const option of Object.values(commonOptions)) command.addOption(option());
  return command.action(async () => {
    const settings = await prepareSettings<{ json?: boolean }>(command, context);
    if (settings !== undefined) await report(context, settings.json === true);
  });
}

async function report(context: CommandContext, json: boolean): Promise<void> {
  const { console } = context;
  const native = (await probeBackends()).find(({ name }) => name === 'native');
  const ok = native?.ok === true;
  const reason = native?.reason ?? 'unknown';
  if (json) console.json({ backend: 'native', ok, ...(ok ? {} : { reason }) });
  else if (ok) console.print('The native backend works.');
  else console.print(`The native backend does not work: ${reason}\nTo install it: gradwire native install`);
  if (!ok) context.exit(exitCodes.backend.code);
}

const installExamples = `
Examples:
  gradwire native install
  gradwire native install --source wheel      for networks without storage.googleapis.com`;

const statusExamples = `
Examples:
  gradwire native status
  gradwire native status --json`;

const examples = `
Examples:
  gradwire native install
  gradwire native status`;
