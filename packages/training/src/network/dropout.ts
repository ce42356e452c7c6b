import { randomWords } from '@gradwire/random';
import type { Tensor } from '@tensorflow/tfjs-core';
import { mul, tensor } from '#tfjs-core';
import type { Block } from './block.ts';
import type { OperationOf } from './operation.ts';
import { randomKey } from './random-key.ts';

/**
 * Zeroes a share of the values while training and scales the others up (Srivastava et al. 2014, section 10, the
 * "inverted" form). The mask is a function of seed, step, shard and layer alone.
 *
 * @param place - the layer's position in the network.
 */
export function createDropout({ rate, noiseShape }: OperationOf<'dropout'>, place: number): Block {
  return {
    forward([input], _, mode) {
      const x = input as Tensor;
      if (!mode.training || rate === 0) {
        return { output: x, backward: (dy) => ({ inputs: [dy], tensors: [] }) };
      }
      const shape = noiseShape?.map((side, axis) => side ?? (x.shape[axis] as number)) ?? x.shape;
      const size = shape.reduce((product, side) => product * side, 1);
      const threshold = rate * 2 ** 32;
      const scale = 1 / (1 - rate);
      const words = randomWords(randomKey(mode, place), size);
      const values = Float32Array.from(words, (word) => (word < threshold ? 0 : scale));
      const mask = tensor(values, [...shape]);
      return {
        output: mul(x, mask),
        backward: (dy) => ({ inputs: [mul(dy, mask)], tensors: [] }),
      };
    },
  };
}
