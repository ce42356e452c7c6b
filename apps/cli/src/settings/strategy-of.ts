import { GradwireError } from '@gradwire/errors';
import { localStrategy, type Strategy } from '@gradwire/recipes/strategy';

/** The settings that choose a strategy. */
export interface StrategySettings {
  readonly strategy?: Strategy['type'];
  readonly localSteps?: number;
  readonly maxStaleness?: number;
}

/** Every strategy by name. */
export const strategyTypes: readonly Strategy['type'][] = [
  'synchronous',
  'local-sgd',
  'diloco',
  'asynchronous',
];

// docs/strategies.md has the measurements behind it.
const defaultLocalSteps = 32;
const defaultMaxStaleness = 4;

/**
 * The strategy that settings ask for, completed from the recipe's own one if that is of the same type; undefined if
 * they leave the recipe as it is. Throws OPTION_INVALID for a number that the strategy does not have.
 */
export function strategyOf(settings: StrategySettings, own?: Strategy): Strategy | undefined {
  const { localSteps, maxStaleness } = settings;
  const type = settings.strategy ?? own?.type ?? 'synchronous';
  const same = own?.type === type ? own : undefined;
  const isLocal = type === 'local-sgd' || type === 'diloco';
  if (localSteps !== undefined && !isLocal) throw misplaced('--local-steps', 'local-sgd or diloco', type);
  if (maxStaleness !== undefined && type !== 'asynchronous')
    throw misplaced('--max-staleness', 'asynchronous', type);
  if (isLocal) {
    const own = localStrategy(same);
    return { ...own, type, localSteps: localSteps ?? own?.localSteps ?? defaultLocalSteps };
  }
  if (type === 'asynchronous') {
    const before = same?.type === type ? same.maxStaleness : defaultMaxStaleness;
    return { type, maxStaleness: maxStaleness ?? before };
  }
  // A recipe that names no strategy is synchronous already, and keeps its hash.
  return own === undefined ? undefined : { type };
}

/** What a recipe's strategy gives to settings which nobody set. */
export function settingsOfStrategy(strategy: Strategy = { type: 'synchronous' }): Record<string, unknown> {
  const { type, ...numbers } = strategy;
  return { strategy: type, ...numbers };
}

function misplaced(option: string, wanted: string, found: string): GradwireError {
  return new GradwireError('OPTION_INVALID', `${option} belongs to --strategy ${wanted}, found ${found}`, {
    hint: `Give --strategy ${wanted.split(' ')[0]} too, or leave ${option} out.`,
  });
}
