import type { CompleteLayer, ModelSpec } from '@gradwire/models';
import { resolveLayers } from '@gradwire/models';
import type { GraphLayer, Operation, Pair } from './operation.ts';

/** A network of plain data as a graph: a chain, whose tensors are those of its layout. */
export function graphOfSpec(spec: ModelSpec): GraphLayer[] {
  let count = 0;
  return resolveLayers(spec).map(({ name, layer, outputShape, parameters }, position) => {
    const tensors = parameters.map(() => count++);
    return { name, operation: operationOf(layer, outputShape), inputs: [position - 1], tensors };
  });
}

function operationOf(layer: CompleteLayer, outputShape: readonly number[]): Operation {
  switch (layer.type) {
    case 'conv2d':
    case 'depthwiseConv2d': {
      const { type, padding, useBias, activation } = layer;
      return { type, strides: square(layer.strides), padding, useBias, activation };
    }
    case 'maxPooling2d':
    case 'averagePooling2d': {
      const { type, padding } = layer;
      return { type, window: square(layer.poolSize), strides: square(layer.strides), padding };
    }
    case 'batchNormalization': {
      const { type, epsilon } = layer;
      return { type, epsilon, scale: true, center: true, frozen: false, uses: 1 };
    }
    case 'flatten':
      return { type: 'reshape', shape: outputShape };
    case 'dense':
    case 'globalAveragePooling2d':
    case 'activation':
    case 'dropout':
      return layer;
  }
}

function square(side: number): Pair {
  return [side, side];
}
