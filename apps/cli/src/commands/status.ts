import { Command } from 'commander';
import { explainLines } from '../output/explain-lines.ts';
import { statusLines } from '../output/status-lines.ts';
import { fetchStatus } from '../run/fetch-status.ts';
import { commonOptions, options } from '../settings/options.ts';
import { parseAddress } from '../settings/parse-address.ts';
import { prepareSettings } from '../settings/prepare-settings.ts';
import type { CommandContext } from './command.ts';

interface StatusSettings {
  readonly token?: string;
  readonly json?: boolean;
}

/** `gradwire status`. */
export function statusCommand(context: CommandContext): Command {
  return askingCommand(context, {
    name: 'status',
    description: 'Show where a run stands, and its workers.',
    format: statusLines,
  });
}

/** `gradwire explain`. */
export function explainCommand(context: CommandContext): Command {
  return askingCommand(context, {
    name: 'explain',
    description: 'Say what a run is waiting for, why, and what can be done about it.',
    format: explainLines,
  });
}

interface Asking {
  readonly name: string;
  readonly description: string;
  readonly format: typeof statusLines;
}

function askingCommand(context: CommandContext, { name, description, format }: Asking): Command {
  const command = new Command(name)
    .description(description)
    .argument('<url>', 'the address that the coordinator printed, for example ws://10.0.0.5:8787#token')
    .addHelpText('after', examples(name))
    .addOption(options.token());
  for (const option of Object.values(commonOptions)) command.addOption(option());
  return command.action(async (address: string) => {
    const settings = await prepareSettings<StatusSettings>(command, context);
    if (settings === undefined) return;
    const status = await fetchStatus(parseAddress(address, settings.token), context.signal);
    if (settings.json) context.console.json(status);
    else context.console.print(format(status).join('\n'));
  });
}

const examples = (name: string): string => `
Examples:
  gradwire ${name} ws://10.0.0.5:8787#token
  gradwire ${name} ws://10.0.0.5:8787#token --json
  GRADWIRE_TOKEN=token gradwire ${name} ws://10.0.0.5:8787`;
