import type { Parameter } from '@gradwire/engine';
import type { CompleteLayer } from './resolve-layers.ts';

/** A tensor of a layer. */
export type LayerParameter = Pick<Parameter, 'name' | 'shape' | 'role' | 'momentum'> & {
  /** What it holds before the first step. */
  readonly initial: 'glorot' | 'zeros' | 'ones';
};

/** The tensors of a layer in the order of the flat weight vector, named as tfjs names them. */
export function parametersOf(
  layer: CompleteLayer,
  inputShape: readonly number[],
  name: string,
): LayerParameter[] {
  const channels = inputShape.at(-1) as number;
  switch (layer.type) {
    case 'dense':
      return kernelAndBias(`${name}/kernel`, [channels, layer.units], layer);
    case 'conv2d':
      return kernelAndBias(
        `${name}/kernel`,
        [layer.kernelSize, layer.kernelSize, channels, layer.filters],
        layer,
      );
    case 'depthwiseConv2d':
      return kernelAndBias(
        `${name}/depthwise_kernel`,
        [layer.kernelSize, layer.kernelSize, channels, layer.depthMultiplier],
        layer,
      );
    case 'batchNormalization':
      return normalisation(name, channels, layer.momentum);
    default:
      return [];
  }
}

function kernelAndBias(
  kernelName: string,
  shape: readonly number[],
  { type, useBias }: Extract<CompleteLayer, { useBias: boolean }>,
): LayerParameter[] {
  const kernel = { name: kernelName, shape, role: 'kernel', initial: 'glorot' } as const;
  if (!useBias) return [kernel];
  const [inputs, outputs] = shape.slice(-2) as [number, number];
  const units = type === 'depthwiseConv2d' ? inputs * outputs : outputs;
  const name = kernelName.replace(/[^/]*$/, 'bias');
  return [kernel, { name, shape: [units], role: 'bias', initial: 'zeros' }];
}

function normalisation(name: string, channels: number, momentum: number): LayerParameter[] {
  const shape = [channels];
  return [
    { name: `${name}/gamma`, shape, role: 'bias', initial: 'ones' },
    { name: `${name}/beta`, shape, role: 'bias', initial: 'zeros' },
    { name: `${name}/moving_mean`, shape, role: 'statistic', momentum, initial: 'zeros' },
    { name: `${name}/moving_variance`, shape, role: 'statistic', momentum, initial: 'ones' },
  ];
}
