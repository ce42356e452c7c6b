import type { Tensor } from '@tensorflow/tfjs-core';
import { add, tidy } from '#tfjs-core';
import type { Block, ForwardPass, Mode } from './block.ts';
import { createBlock } from './create-block.ts';
import type { Group } from './fuse.ts';
import { fuse } from './fuse.ts';
import type { GraphLayer } from './operation.ts';
import { type Crop, createCrop } from './native/crop.ts';
import { makesMask } from './plain-layer.ts';

/** A network as a graph of blocks. Tensors that its methods return or make belong to the surrounding `tidy`. */
export interface Network {
  /**
   * Whether all that is summed over the samples of a batch can be summed part by part: nothing looks at other samples, draws
   * random numbers or is done after a sum.
   */
  readonly takesParts: boolean;
  /** @param x - `[samples, ...inputShape]`. Returns the logits, `[samples, outputs]`. */
  predict(x: Tensor, tensors: readonly Tensor[]): Tensor;
  /** As `predict`, with a `backward` that takes the gradient by the logits. */
  forward(x: Tensor, tensors: readonly Tensor[], mode: Extract<Mode, { training: true }>): TrainingPass;
}

/** The result of {@link Network.forward}. */
export interface TrainingPass {
  readonly logits: Tensor;
  /** Gradients by the trained tensors; undefined where the logits do not depend on one. */
  backward(dLogits: Tensor): (Tensor | undefined)[];
}

/**
 * Joins a graph's layers into blocks. The last layer gives the logits.
 *
 * @param trained - the first so many tensors are trained or statistics, the others are constants.
 */
export function createNetwork(layers: readonly GraphLayer[], trained: number): Network {
  const links = createLinks(layers, trained);
  // A mask belongs to the block that makes it, and is read by later ones.
  const keepsAll = links.some(({ group: { work } }) => work.type === 'plain' && makesMask(work.layer));
  const crop: Crop = createCrop(layers);
  return {
    takesParts: haveParts(links),
    predict: (x, tensors) => predict(links, crop(x, tensors), { tensors, keepsAll }),
    forward(samples, tensors, mode) {
      const x = crop(samples, tensors);
      const passes: ForwardPass[] = [];
      for (const link of links) {
        const inputs = link.group.inputs.map((input) => passes[input]?.output ?? x);
        passes.push(link.block.forward(inputs, own(link, tensors), mode));
      }
      const logits = passes.at(-1)?.output ?? x;
      return { logits, backward: (dLogits) => runBackward(links, passes, dLogits).slice(0, trained) };
    },
  };
}

function haveParts(links: readonly Link[]): boolean {
  const tensors = links.flatMap(({ group }) => group.tensors);
  // The gradients of a tensor that is used twice are added.
  return new Set(tensors).size === tensors.length && links.every(({ group }) => hasParts(group.work));
}

function hasParts(work: Group['work']): boolean {
  if (work.type === 'unit') return work.norm === undefined;
  return work.type !== 'plain' && work.type !== 'dropout';
}

/** A block in its place. */
interface Link {
  readonly group: Group;
  readonly block: Block;
  /** Does it, or one before it, train anything? Nobody reads other gradients. */
  readonly trains: boolean;
  readonly inputNeeded: boolean;
  /** Groups whose outputs nobody reads after this one. */
  readonly lastOf: readonly number[];
}

function createLinks(layers: readonly GraphLayer[], trained: number): Link[] {
  const groups = fuse(layers);
  const links: Link[] = [];
  for (const [position, group] of groups.entries()) {
    const place = layers.indexOf(group.layers[0] as GraphLayer);
    const inputNeeded = group.inputs.some((input) => links[input]?.trains);
    links.push({
      group,
      block: createBlock(group, place),
      trains: inputNeeded || group.tensors.some((tensor) => tensor < trained),
      inputNeeded,
      lastOf: group.inputs.filter(
        (input) => input >= 0 && !groups.slice(position + 1).some(({ inputs }) => inputs.includes(input)),
      ),
    });
  }
  return links;
}

function own({ group }: Link, tensors: readonly Tensor[]): Tensor[] {
  return group.tensors.map((tensor) => tensors[tensor] as Tensor);
}

interface Predicting {
  readonly tensors: readonly Tensor[];
  readonly keepsAll: boolean;
}

function predict(links: readonly Link[], x: Tensor, { tensors, keepsAll }: Predicting): Tensor {
  const outputs: Tensor[] = [];
  for (const link of links) {
    const inputs = link.group.inputs.map((input) => outputs[input] ?? x);
    const compute = (): Tensor => {
      const { output } = link.block.forward(inputs, own(link, tensors), { training: false });
      return inputs.includes(output) ? output.clone() : output;
    };
    outputs.push(keepsAll ? compute() : tidy(compute));
    if (!keepsAll) for (const done of link.lastOf) outputs[done]?.dispose();
  }
  return outputs.at(-1) ?? x;
}

function runBackward(
  links: readonly Link[],
  passes: readonly ForwardPass[],
  dLogits: Tensor,
): (Tensor | undefined)[] {
  const byOutput: (Tensor | undefined)[] = [];
  const byTensor: (Tensor | undefined)[] = [];
  byOutput[links.length - 1] = dLogits;
  for (const [position, { group, trains, inputNeeded }] of [...links.entries()].toReversed()) {
    const dy = byOutput[position];
    if (!trains || !dy) continue;
    const { inputs, tensors } = (passes[position] as ForwardPass).backward(dy, { inputNeeded });
    for (const [i, tensor] of group.tensors.entries()) accumulate(byTensor, tensor, tensors[i]);
    for (const [i, input] of group.inputs.entries()) {
      if (links[input]?.trains) accumulate(byOutput, input, inputs[i]);
    }
  }
  return byTensor;
}

function accumulate(sums: (Tensor | undefined)[], position: number, more: Tensor | undefined): void {
  const sum = sums[position];
  sums[position] = sum && more ? add(sum, more) : (more ?? sum);
}
