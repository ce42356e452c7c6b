import { GradwireError } from '@gradwire/errors';
import { randomWords } from '@gradwire/random';
import type { Tensor } from '@tensorflow/tfjs-core';
import { engine } from '#tfjs-core';
import type { Block, Mode } from './block.ts';
import type { OperationOf, TfjsLayer } from './operation.ts';
import { randomKey } from './random-key.ts';

/** Masks of sequences, by the tensors that carry them. */
const masks = new WeakMap<Tensor, Tensor>();

/**
 * A layer that no block knows, run as tfjs runs it. The backward pass repeats the forward pass on tfjs's tape. The block's tensors must be
 * the layer's own weights. Random numbers that the layer draws are keyed like those of dropout.
 *
 * @param place - the layer's position in the network.
 * @throws GradwireError `RECIPE_INVALID` when it runs, if the layer changes its own weights or keeps a state: then a
 * gradient would depend on what was computed before.
 */
export function createPlainLayer({ layer, output }: OperationOf<'plain'>, place: number): Block {
  return {
    forward(inputs, tensors, mode) {
      const call = (): Tensor => applyPurely(layer, { inputs, mode, place })[output] as Tensor;
      return {
        output: call(),
        backward(dy, { inputNeeded }) {
          const by = inputNeeded ? [...inputs, ...tensors] : [...tensors];
          const { grads } = engine().gradients(call, by, dy, true);
          const gradients = grads as (Tensor | undefined)[];
          const first = inputNeeded ? inputs.length : 0;
          return { inputs: gradients.slice(0, first), tensors: gradients.slice(first) };
        },
      };
    },
  };
}

interface Call {
  readonly inputs: readonly Tensor[];
  readonly mode: Mode;
  readonly place: number;
}

function applyPurely(layer: TfjsLayer, { inputs, mode, place }: Call): Tensor[] {
  const before = layer.weights.map((weight) => weight.read().dataId);
  const outputs = withKeyedRandom(mode, place, () => applyMasked(layer, inputs, mode.training));
  if (layer.weights.some((weight, i) => weight.read().dataId !== before[i])) {
    throw impure(layer, 'changes its own weights while it computes');
  }
  return outputs;
}

/** The error for a layer whose result depends on earlier calls. */
export function impure({ name }: TfjsLayer, what: string): GradwireError {
  return new GradwireError(
    'RECIPE_INVALID',
    `layer ${name}: expected a function of weights and input, found one that ${what}`,
    {
      hint: 'Replace the layer, or split it into layers that Gradwire knows.',
    },
  );
}

/** Does the layer tell those behind it which values of a sequence count? */
export function makesMask(layer: TfjsLayer): boolean {
  return layer.getClassName() === 'Masking' || layer.getConfig()['maskZero'] === true;
}

/** As tfjs's own executor passes masks on. */
function applyMasked(layer: TfjsLayer, inputs: readonly Tensor[], training: boolean): Tensor[] {
  const inputMasks = inputs.map((input) => masks.get(input) ?? null) as Tensor[];
  const mask = inputMasks.some(Boolean) ? { mask: inputMasks[0] } : {};
  const result = layer.apply([...inputs], { training, ...mask }) as Tensor | Tensor[];
  const outputs = Array.isArray(result) ? result : [result];
  if (layer.supportsMasking) {
    const [outputMask] = [layer.computeMask([...inputs], inputMasks)].flat();
    if (outputMask) for (const output of outputs) masks.set(output, outputMask);
  }
  return outputs;
}

/**
 * tfjs's random layers take their seed from `Math.random` at each call. Inside this call it gives keyed numbers, so that
 * forward and backward pass see the same ones and a repeated leaf gives the same gradient.
 */
function withKeyedRandom<T>(mode: Mode, place: number, action: () => T): T {
  if (!mode.training) return action();
  const original = Math.random;
  let words: Uint32Array = new Uint32Array(0);
  let drawn = 0;
  Math.random = () => {
    // A longer sequence begins with the shorter one.
    if (drawn === words.length) words = randomWords(randomKey(mode, place), 2 * drawn + 4);
    return (words[drawn++] as number) / 2 ** 32;
  };
  try {
    return action();
  } finally {
    Math.random = original;
  }
}
