import { Command, Option } from 'commander';
import { defaultCacheDirectory } from '@gradwire/data/node';
import { checkBackends } from '../doctor/backends.ts';
import type { Check } from '../doctor/check.ts';
import { checkData } from '../doctor/data.ts';
import { checkEnvironment } from '../doctor/environment.ts';
import { formatChecks } from '../doctor/format-checks.ts';
import { checkMachine } from '../doctor/machine.ts';
import { mask } from '../doctor/mask.ts';
import { checkPort } from '../doctor/network.ts';
import { selfTest } from '../doctor/self-test.ts';
import { checkStorage } from '../doctor/storage.ts';
import { exitCodes } from '../exit-codes.ts';
import { createProgressLine } from '../output/progress-line.ts';
import { commonOptions, options } from '../settings/options.ts';
import { prepareSettings } from '../settings/prepare-settings.ts';
import type { CommandContext } from './command.ts';

interface DoctorSettings {
  readonly backend: 'auto' | 'wasm' | 'native';
  readonly dataDir?: string;
  readonly cacheDir?: string;
  readonly runDir: string;
  readonly port: number;
  readonly selfTest: boolean;
  readonly json?: boolean;
}

/** `gradwire doctor`. */
export function doctorCommand(context: CommandContext): Command {
  const command = new Command('doctor')
    .description(
      'Look at this machine and train 20 steps as a test; prints a text made to be put into a report.',
    )
    .addHelpText('after', details);
  const { backend, dataDir, cacheDir, runDir } = options;
  for (const option of [backend, dataDir, cacheDir, runDir]) command.addOption(option());
  command
    .addOption(options.port(8787))
    .addOption(new Option('--no-self-test', 'leave the training test out'));
  for (const option of Object.values(commonOptions)) command.addOption(option());
  return command.action(async () => {
    const settings = await prepareSettings<DoctorSettings>(command, context);
    if (settings !== undefined) await examine(settings, context);
  });
}

async function examine(settings: DoctorSettings, context: CommandContext): Promise<void> {
  const { console, signal } = context;
  const checks: Check[] = [];
  for (const { what, check } of stages(settings, context)) {
    console.say(console.colors.dim(`looking at ${what}`));
    checks.push(...(await check()));
    if (signal.aborted) return;
  }
  console.settle();
  const shown = mask(checks);
  const ok = shown.every(({ status }) => status !== 'problem');
  if (settings.json) console.json({ ok, checks: shown });
  else console.print(formatChecks(shown));
  if (!ok) context.exit(exitCodes.check.code);
}

interface Stage {
  readonly what: string;
  readonly check: () => Promise<Check[]>;
}

function stages(settings: DoctorSettings, { console, signal }: CommandContext): Stage[] {
  const { backend, dataDir, cacheDir, runDir, port } = settings;
  const onRun = (line: string): void => console.say(line);
  const onStep = createProgressLine(console, { everyMs: 2_000 });
  const all: (Stage & { readonly skip?: boolean })[] = [
    { what: 'this machine', check: checkMachine },
    {
      what: 'the disk',
      check: () =>
        Promise.all([
          checkStorage('run dir', runDir),
          checkStorage('cache dir', cacheDir ?? defaultCacheDirectory()),
        ]),
    },
    { what: 'the backends', check: () => checkBackends(backend) },
    { what: 'the data', check: async () => [await checkData({ dataDir, cacheDir })] },
    {
      what: 'the network and the environment',
      check: async () => [await checkPort(port), checkEnvironment()],
    },
    {
      what: 'a real run',
      skip: !settings.selfTest,
      check: async () => [await selfTest({ backend, dataDir, cacheDir, signal, onRun, onStep })],
    },
  ];
  return all.filter(({ skip }) => skip !== true);
}

const details = `
The home directory, join tokens and passwords are masked in the output. Exit code 10 if there is a problem.

Examples:
  gradwire doctor
  gradwire doctor --backend wasm --json
  gradwire doctor --no-self-test`;
