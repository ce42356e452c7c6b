import { randomWords } from '@gradwire/random';

/** What a seed decides, each with draws of its own: a new draw for one concern shifts no other. */
const concerns = { workload: 0, network: 1, disk: 2, faults: 3, work: 4, verification: 5 } as const;

export type Concern = keyof typeof concerns;

/** The random draws of one concern of one simulation, one after the other. */
export interface Draws {
  /** Uniform in [0, 1), 32 bits. */
  unit(): number;
  /** A whole number from 0 to `count` - 1. */
  below(count: number): number;
  /** Uniform in [low, high). */
  between(low: number, high: number): number;
  chance(probability: number): boolean;
  /** Throws a `RangeError` if there is nothing to pick from. */
  pick<Item>(items: readonly Item[]): Item;
}

/** Creates the draws of one concern. Words come in blocks, so that a draw costs little. */
export function createDraws(seed: number, concern: Concern): Draws {
  let words: Uint32Array = new Uint32Array(0);
  let position = 0;
  let block = 0;
  const unit = (): number => {
    if (position === words.length) {
      words = randomWords({ seed, stream: 'simulation', a: concerns[concern], b: block++ }, 32);
      position = 0;
    }
    return words[position++]! / 2 ** 32;
  };
  return {
    unit,
    below: (count) => Math.floor(unit() * count),
    between: (low, high) => low + unit() * (high - low),
    chance: (probability) => unit() < probability,
    pick(items) {
      if (items.length === 0) throw new RangeError('pick: nothing to pick from');
      return items[Math.floor(unit() * items.length)]!;
    },
  };
}
