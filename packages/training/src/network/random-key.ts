import type { RandomKey } from '@gradwire/random';
import type { Mode } from './block.ts';

/**
 * Keys the random numbers of a layer.
 *
 * @throws TypeError if the pass has no position.
 */
export function randomKey({ seed, position }: Extract<Mode, { training: true }>, layer: number): RandomKey {
  if (!position) {
    throw new TypeError(
      'position: expected { step, shard } for a network that draws random numbers (dropout), found none',
    );
  }
  return { seed, stream: 'dropout', a: position.step, b: position.shard, c: layer };
}
