import { copyIn, forEachBlock } from './blocks.ts';
import type { VectorInstance } from './module.ts';

const blockWords = 16;
const closingWords = 16 * blockWords;

/** Computes a checksum. `onBlock` sees each block of so many elements while it is in `source`. */
export type Checksum = (values: Float32Array, onBlock?: (count: number) => void) => string;

/** The checksum of `packages/engine`, vectors/plain-checksum.ts, in the module. */
export function createChecksum({ run, source, mixer }: VectorInstance): Checksum {
  const state = mixer.values;
  const words = new Uint32Array(source.values.buffer, source.address, closingWords);
  const initial = Uint32Array.from(state, (_, k) => Math.imul(k + 1, 0x9e37_79b1));
  return (values, onBlock) => {
    state.set(initial);
    forEachBlock({ start: 0, end: values.length }, (block, count) => {
      const filled = Math.ceil(count / blockWords) * blockWords;
      copyIn(source, values, block);
      onBlock?.(count);
      source.values.fill(0, count, filled);
      run.mixWords(source.address, filled, mixer.address);
    });
    words.fill(0);
    for (let i = 0; i < closingWords; i += blockWords) words[i] = values.length;
    run.mixWords(source.address, closingWords, mixer.address);
    return Array.from(state.subarray(0, 4), (lane) => lane.toString(16).padStart(8, '0')).join('');
  };
}
