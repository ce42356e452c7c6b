import { Command } from 'commander';
import { createCoordinatorClient } from '@gradwire/transport';
import { commonOptions, options } from '../settings/options.ts';
import { parseAddress } from '../settings/parse-address.ts';
import { prepareSettings } from '../settings/prepare-settings.ts';
import type { CommandContext } from './command.ts';

interface DrainSettings {
  readonly token?: string;
  readonly json?: boolean;
}

/** `gradwire drain`. */
export function drainCommand(context: CommandContext): Command {
  const command = new Command('drain')
    .description('Let one worker of a run finish what it has and leave; returns when it has gone.')
    .argument('<url>', 'the address that the coordinator printed, for example ws://10.0.0.5:8787#token')
    .argument('<worker>', 'its name, as gradwire status shows it')
    .addHelpText('after', examples)
    .addOption(options.token());
  for (const option of Object.values(commonOptions)) command.addOption(option());
  return command.action(async (address: string, worker: string) => {
    const settings = await prepareSettings<DrainSettings>(command, context);
    if (settings === undefined) return;
    const { console, signal } = context;
    const client = createCoordinatorClient({ ...parseAddress(address, settings.token), role: 'worker' });
    console.live(`waiting for ${worker} to finish its leases …`);
    const path = `/drain?worker=${encodeURIComponent(worker)}`;
    const answer = await client.request({ path, body: new Uint8Array(0), signal });
    console.settle();
    if (settings.json) console.json(JSON.parse(new TextDecoder().decode(answer)));
    else console.print(`${worker} has left; the run goes on without it.`);
  });
}

const examples = `
Its leases go to the other workers; if it was the last one, the run waits for another to join.

Examples:
  gradwire drain ws://10.0.0.5:8787#token attic
  gradwire drain ws://10.0.0.5:8787#token attic --json`;
