import type { ParameterLayout } from '@gradwire/engine';
import { kernelsReady, valuesInPlace } from '@gradwire/kernels';
import type { Tensor } from '@tensorflow/tfjs-core';
import { keep, tensor, tidy } from '#tfjs-core';

/** A flat weight vector as one tensor a parameter. Owns the tensors. */
export interface WeightTensors {
  /** Replaces all weights. RangeError if the length is wrong. */
  set(weights: Float32Array): void;
  /** In the layout's order; valid until the next `set`. TypeError before the first. */
  tensors(): readonly Tensor[];
  /** The flat vector as it was set; not to be changed, and the same after the next `set`. */
  flat(): Float32Array;
  dispose(): void;
}

/** Creates an empty set of weight tensors; the caller disposes it. */
export function createWeightTensors(layout: ParameterLayout): WeightTensors {
  let current: { flat: Float32Array | undefined; tensors: Tensor[] } | undefined;
  const weights = (): { flat: Float32Array | undefined; tensors: Tensor[] } => {
    if (current === undefined) throw new TypeError('weights: none set; call setWeights first');
    return current;
  };
  const dispose = (): void => {
    for (const old of current?.tensors ?? []) old.dispose();
    current = undefined;
  };
  return {
    set(values) {
      if (values.length !== layout.size) {
        throw new RangeError(`weights: expected length ${layout.size}, found ${values.length}`);
      }
      // Never written in place: tfjs's depthwise kernel keeps what it has made of a filter as long as its tensor lives.
      dispose();
      // The native backend reads a tensor's values at its first use, so they must not change until then.
      const flat = kernelsReady() ? undefined : values.slice();
      current = { flat, tensors: createTensors(layout, flat ?? values) };
    },
    tensors: () => weights().tensors,
    flat() {
      const { tensors } = weights();
      return (weights().flat ??= readTensors(layout, tensors));
    },
    dispose,
  };
}

function createTensors(layout: ParameterLayout, flat: Float32Array): Tensor[] {
  return layout.parameters.map(({ offset, size, shape }) =>
    tidy(() => keep(tensor(flat.subarray(offset, offset + size), [...shape]))),
  );
}

function readTensors({ parameters, size }: ParameterLayout, tensors: readonly Tensor[]): Float32Array {
  const flat = new Float32Array(size);
  for (const [i, { offset }] of parameters.entries()) flat.set(valuesInPlace(tensors[i] as Tensor), offset);
  return flat;
}
