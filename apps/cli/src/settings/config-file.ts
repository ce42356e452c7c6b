import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { GradwireError, showValue } from '@gradwire/errors';
import { FlagOnlyOption } from './flag-only-option.ts';
import { switchOf } from './switch-of.ts';

/**
 * Fills settings that neither a flag nor the environment gave from `gradwire.config.json` (or `--config FILE`).
 * Keys are the long flags in camel case, for example `{ "workers": 4, "batchSize": 256 }`; a key that only
 * other commands know, or that this one takes as a flag alone, is passed over. Throws OPTION_INVALID.
 */
export async function applyConfigFile(
  command: Command,
  isKnownAnywhere: (key: string) => Promise<boolean>,
): Promise<void> {
  const named = command.opts<{ config?: string }>().config;
  const file = named ?? resolve('gradwire.config.json');
  if (!existsSync(file)) {
    if (named === undefined) return;
    throw invalid(`${file}: there is no such settings file`, 'Check the path after --config.');
  }
  for (const [key, value] of Object.entries(readSettings(file))) {
    const option = command.options.find((candidate) => candidate.attributeName() === key);
    if (option === undefined) {
      if (await isKnownAnywhere(key)) continue;
      const { closestName } = await import('@gradwire/recipes');
      const suggestion = closestName(
        key,
        command.options.map((candidate) => candidate.attributeName()),
      );
      throw invalid(
        `${file}: unknown setting "${key}"`,
        suggestion ? `Did you mean "${suggestion}"?` : 'Remove it.',
      );
    }
    if (option instanceof FlagOnlyOption) continue;
    const source = command.getOptionValueSource(key);
    if (source !== undefined && source !== 'default') continue;
    command.setOptionValueWithSource(key, parse(option, value, file), 'config');
  }
}

function readSettings(file: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch (cause) {
    throw new GradwireError('OPTION_INVALID', `${file}: cannot be read as JSON (${String(cause)})`, {
      cause,
    });
  }
  throw invalid(`${file}: expected a JSON object of settings`, 'For example { "workers": 4 }.');
}

function parse(option: Command['options'][number], value: unknown, file: string): unknown {
  // Not String() of anything: a list may be nested too deep for it, an object have a toString of its own.
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
    throw invalid(
      `${file}: ${option.attributeName()} is ${showValue(value)}`,
      'Expected a text, a number, true or false.',
    );
  }
  const text = String(value);
  if (option.isBoolean()) return switchOf(text, `${file}: ${option.attributeName()}`);
  if (option.argChoices && !option.argChoices.includes(text)) {
    throw invalid(
      `${file}: ${option.attributeName()} is "${text}"`,
      `Allowed are ${option.argChoices.join(', ')}.`,
    );
  }
  try {
    return option.parseArg ? option.parseArg(text, undefined) : text;
  } catch (cause) {
    throw invalid(`${file}: ${option.attributeName()} is "${text}"`, (cause as Error).message);
  }
}

function invalid(message: string, hint: string): GradwireError {
  return new GradwireError('OPTION_INVALID', message, { hint });
}
