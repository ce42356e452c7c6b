import type { Command } from 'commander';
import type { Console } from '../output/console.ts';

/** One setting, its value, and where the value comes from. */
export interface SettingOrigin {
  readonly setting: string;
  readonly value: unknown;
  readonly origin: 'flag' | 'environment' | 'file' | 'default' | 'recipe' | 'run';
}

const origins: Record<string, SettingOrigin['origin']> = {
  cli: 'flag',
  env: 'environment',
  config: 'file',
  default: 'default',
  run: 'run',
};
const notSettings = new Set(['json', 'printConfig', 'config', 'leaveWithParent']);

/** Where each of a command's settings comes from; `fromRecipe` fills those that nobody gave. */
export function settingOrigins(
  command: Command,
  fromRecipe: Readonly<Record<string, unknown>> = {},
): SettingOrigin[] {
  return command.options
    .map((option) => option.attributeName())
    .filter((setting) => !notSettings.has(setting))
    .map((setting) => {
      const value: unknown = command.getOptionValue(setting);
      const source = command.getOptionValueSource(setting) ?? 'default';
      if (value === undefined && fromRecipe[setting] !== undefined) {
        return { setting, value: fromRecipe[setting], origin: 'recipe' };
      }
      return {
        setting,
        value: setting === 'token' && value ? '(secret)' : (value ?? null),
        origin: origins[source] ?? 'default',
      };
    });
}

/** Prints the settings as a table, or as one JSON document. */
export function printConfig(console: Console, settings: readonly SettingOrigin[], json: boolean): void {
  if (json) return console.json({ settings });
  const width = Math.max(...settings.map(({ setting }) => setting.length));
  const valueWidth = Math.max(...settings.map(({ value }) => show(value).length));
  for (const { setting, value, origin } of settings) {
    console.print(`${setting.padEnd(width)}  ${show(value).padEnd(valueWidth)}  ${origin}`);
  }
}

function show(value: unknown): string {
  return typeof value === 'string' ? value : value === null ? '-' : JSON.stringify(value);
}
