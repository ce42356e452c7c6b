import type { ModelSpec, ResolvedLayer } from '@gradwire/models';
import { resolveLayers } from '@gradwire/models';
import type { Tensor } from '@tensorflow/tfjs-core';
import { tidy } from '@tensorflow/tfjs-core';
import type { Block, ForwardPass } from './block.ts';
import { createConvolution } from './convolution.ts';
import { createDense, createFlatten } from './dense.ts';
import { createMaxPooling } from './max-pooling.ts';
import type { Window } from './native/crop.ts';
import { createCrop } from './native/crop.ts';

/** A network as a chain of blocks. Tensors that its methods return or make belong to the surrounding `tidy`. */
export interface Network {
  /** @param x - `[samples, ...inputShape]`. Returns the logits, `[samples, outputs]`; nothing else stays alive. */
  predict(x: Tensor, parameters: readonly Tensor[]): Tensor;
  /** As `predict`, with a `backward` that takes the gradient by the logits and returns one tensor a parameter. */
  forward(
    x: Tensor,
    parameters: readonly Tensor[],
  ): { readonly logits: Tensor; readonly backward: (dLogits: Tensor) => Tensor[] };
}

/** Chains a model's layers; parameters are taken and returned in the order of its layout. */
export function createNetwork(spec: ModelSpec): Network {
  const layers = resolveLayers(spec);
  const links = createLinks(createBlocks(layers));
  const crop = createCrop(spec.inputShape, windowsOf(layers));
  // Nobody reads gradients by the samples, so the backward pass ends at the first block that trains anything.
  const firstTrained = links.findIndex(({ block }) => block.parameterCount > 0);
  return {
    predict(x, parameters) {
      return links.reduce((input, { block, start, end }) => {
        const output = tidy(() => block.forward(input, parameters.slice(start, end)).output);
        if (input !== x) input.dispose();
        return output;
      }, crop(x));
    },
    forward(x, parameters) {
      const passes: ForwardPass[] = [];
      let output = crop(x);
      for (const { block, start, end } of links) {
        const pass = block.forward(output, parameters.slice(start, end));
        passes.push(pass);
        output = pass.output;
      }
      return { logits: output, backward: (dLogits) => runBackward(passes, firstTrained, dLogits) };
    },
  };
}

/** The convolutions and poolings that the network starts with. */
function windowsOf(layers: readonly ResolvedLayer[]): Window[] {
  const windows: Window[] = [];
  for (const { layer } of layers) {
    if (layer.type !== 'conv2d' && layer.type !== 'maxPooling2d') break;
    const side = layer.type === 'conv2d' ? layer.kernelSize : layer.poolSize;
    const { strides, padding } = layer;
    windows.push({ size: [side, side], strides: [strides, strides], padding });
  }
  return windows;
}

/** A block and its range in the list of parameters. */
interface Link {
  readonly block: Block;
  readonly start: number;
  readonly end: number;
}

function createLinks(blocks: readonly Block[]): Link[] {
  let end = 0;
  return blocks.map((block) => {
    const start = end;
    end += block.parameterCount;
    return { block, start, end };
  });
}

function runBackward(passes: readonly ForwardPass[], firstTrained: number, dLogits: Tensor): Tensor[] {
  const gradients: Tensor[] = [];
  let dy = dLogits;
  for (let i = passes.length - 1; i >= firstTrained; i -= 1) {
    const result = (passes[i] as ForwardPass).backward(dy, { inputNeeded: i > firstTrained });
    gradients.unshift(...result.parameters);
    dy = result.input ?? dy;
  }
  return gradients;
}

function createBlocks(layers: readonly ResolvedLayer[]): Block[] {
  const blocks: Block[] = [];
  for (let i = 0; i < layers.length; i += 1) {
    const { layer } = layers[i] as ResolvedLayer;
    const next = layers[i + 1]?.layer;
    if (layer.type === 'conv2d' && next?.type === 'maxPooling2d') {
      blocks.push(createConvolution(layer, next));
      i += 1;
    } else if (layer.type === 'conv2d') blocks.push(createConvolution(layer));
    else if (layer.type === 'maxPooling2d') blocks.push(createMaxPooling(layer));
    else if (layer.type === 'dense') blocks.push(createDense(layer));
    else blocks.push(createFlatten());
  }
  return blocks;
}
