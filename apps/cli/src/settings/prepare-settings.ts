import type { Command } from 'commander';
import type { CommandContext } from '../commands/command.ts';
import { applyConfigFile } from './config-file.ts';
import { printConfig, settingOrigins } from './print-config.ts';
import { settleToken } from './settle-token.ts';
import { applySwitchVariables } from './switch-of.ts';

/**
 * Completes a command's settings from the settings file, and settles which of two that are one choice counts. With
 * `--print-config` it shows them and returns undefined: the command has nothing more to do.
 */
export async function prepareSettings<T extends object>(
  command: Command,
  { console, isSetting }: CommandContext,
  fromRecipe?: (settings: T) => Promise<Record<string, unknown>>,
): Promise<T | undefined> {
  await applyConfigFile(command, isSetting);
  applySwitchVariables(command);
  settleToken(command);
  const settings = command.opts<T & { printConfig?: boolean; json?: boolean }>();
  if (!settings.printConfig) return settings;
  printConfig(console, settingOrigins(command, await fromRecipe?.(settings)), settings.json === true);
  return undefined;
}
