import type { Command } from 'commander';

/** Whether somebody chose a setting: by a flag, the environment or a settings file. */
export type IsGiven = (setting: string) => boolean;

/** Answers for a command, once its arguments are parsed. */
export function isGivenTo(command: Command): IsGiven {
  return (setting) => !['default', undefined].includes(command.getOptionValueSource(setting));
}
