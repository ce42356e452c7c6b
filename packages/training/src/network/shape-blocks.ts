import type { Tensor } from '@tensorflow/tfjs-core';
import { addN, concat, reshape, split, transpose } from '#tfjs-core';
import type { Block } from './block.ts';

/** Each sample in another shape. */
export function createReshape(shape: readonly number[]): Block {
  return {
    forward([input]) {
      const x = input as Tensor;
      return {
        output: reshape(x, [x.shape[0], ...shape]),
        backward: (dy) => ({ inputs: [reshape(dy, x.shape)], tensors: [] }),
      };
    },
  };
}

/** The sum of equally shaped inputs. */
export function createAdd(): Block {
  return {
    forward: (inputs) => ({
      output: addN([...inputs]),
      backward: (dy) => ({ inputs: inputs.map(() => dy), tensors: [] }),
    }),
  };
}

/** Inputs behind one another along an axis; the samples' axis is 0. */
export function createConcatenation(axis: number): Block {
  return {
    forward: (inputs) => ({
      output: concat([...inputs], axis),
      backward: (dy) => ({
        inputs: split(
          dy,
          inputs.map(({ shape }) => shape[axis] as number),
          axis,
        ),
        tensors: [],
      }),
    }),
  };
}

/** A block that works on the last axis, for channels that lie on another one. */
export function onAxis(block: Block, axis: number): Block {
  return {
    forward([input], tensors, mode) {
      const x = input as Tensor;
      const there = [...x.shape.keys()].filter((side) => side !== axis);
      there.push(axis);
      const back = there.map((_, side) => there.indexOf(side));
      const pass = block.forward([transpose(x, there)], tensors, mode);
      return {
        output: transpose(pass.output, back),
        backward(dy, options) {
          const gradients = pass.backward(transpose(dy, there), options);
          return { ...gradients, inputs: gradients.inputs.map((dx) => dx && transpose(dx, back)) };
        },
      };
    },
  };
}
