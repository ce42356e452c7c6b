import type { Command } from 'commander';
import { GradwireError } from '@gradwire/errors';

// Least first, as commander names them.
const sources = ['config', 'env', 'cli'];

/**
 * Leaves one of `token` and `tokenFile`, which are one choice: a flag goes before the environment, and that before the
 * settings file. Throws OPTION_INVALID for two flags.
 */
export function settleToken(command: Command): void {
  const [token, file] = ['token', 'tokenFile'].map((setting) =>
    sources.indexOf(command.getOptionValueSource(setting) ?? ''),
  ) as [number, number];
  if (token < 0 || file < 0) return;
  if (token === file && sources[token] === 'cli') {
    throw new GradwireError('OPTION_INVALID', '--token and --token-file both give the token', {
      hint: 'Leave one of the two out.',
    });
  }
  command.setOptionValueWithSource(token < file ? 'token' : 'tokenFile', undefined, 'default');
}
