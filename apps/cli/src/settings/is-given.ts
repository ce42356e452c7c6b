import type { Command } from 'commander';

/**
 * Whether a setting was asked for by a flag. The environment and a settings file say how this machine usually trains,
 * which is no demand on a run that goes on.
 */
export type IsGiven = (setting: string) => boolean;

/** Answers for a command, once its arguments are parsed. */
export function isGivenTo(command: Command): IsGiven {
  return (setting) => command.getOptionValueSource(setting) === 'cli';
}
