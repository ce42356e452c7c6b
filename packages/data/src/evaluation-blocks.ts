import { checkInteger } from './check-integer.ts';

/**
 * The sizes of the consecutive blocks in which `count` samples are evaluated: all `block` but the last.
 *
 * @param count - At least 0, else `RangeError`.
 * @param block - At least 1, else `RangeError`; 500 by default, whose activations fit a worker's memory.
 */
export function evaluationBlocks(count: number, block: number = 500): number[] {
  checkInteger('count', count, [0]);
  checkInteger('block', block, [1]);
  return Array.from({ length: Math.ceil(count / block) }, (_, i) => Math.min(block, count - i * block));
}
