import type { Command } from 'commander';
import { GradwireError } from '@gradwire/errors';

const words: Readonly<Record<string, boolean>> = { true: true, 1: true, false: false, 0: false };

/** What a text means for a setting that is on or off. `where` comes before it in the message. Throws OPTION_INVALID. */
export function switchOf(text: string, where: string): boolean {
  const value = Object.hasOwn(words, text) ? words[text] : undefined;
  if (value !== undefined) return value;
  throw new GradwireError('OPTION_INVALID', `${where} is "${text}"`, {
    hint: 'Expected true, false, 1 or 0.',
  });
}

/** Reads the switches that come from the environment: for commander any value there, also `false`, means on. */
export function applySwitchVariables(command: Command): void {
  for (const option of command.options) {
    const { envVar } = option;
    const setting = option.attributeName();
    if (!option.isBoolean() || envVar === undefined || command.getOptionValueSource(setting) !== 'env')
      continue;
    command.setOptionValueWithSource(setting, switchOf(process.env[envVar] ?? '', envVar), 'env');
  }
}
