import type { TensorInfo } from '@tensorflow/tfjs-core';
import { geometryOf, inputGradientGeometryOf, ofSamples } from './geometry.ts';
import { addressOf, allocate, bytesBefore, expectShape, floatInput } from './heap.ts';
import type { KernelCall, WasmKernel } from './heap.ts';
import { kernelsOn } from './module.ts';
import { addParts, partsOf } from './parts.ts';

/** `Conv2D`. */
export const conv2d: WasmKernel = ({ inputs, attrs, backend }) => {
  const [x, filter] = [floatInput(inputs, 'x'), floatInput(inputs, 'filter')];
  const { info, fields } = geometryOf(x.shape, filter.shape, attrs);
  const y = allocate(backend, info.outShape);
  const { run, placeGeometry } = kernelsOn(backend);
  const at = (tensor: TensorInfo): number => addressOf(backend, tensor);
  run.convolve(placeGeometry(fields), at(x), at(filter), 0, false, at(y));
  return y;
};

/** `Conv2DBackpropFilter`; also part by part (`parts`). */
export const conv2dFilterGradient: WasmKernel = ({ inputs, attrs, backend }) => {
  const [x, dy] = [floatInput(inputs, 'x'), floatInput(inputs, 'dy')];
  const filterShape = attrs['filterShape'] as number[];
  const dFilter = allocate(backend, filterShape);
  gradients({ backend, attrs, inputShape: x.shape, filterShape, x, dy, dFilter });
  return dFilter;
};

/** `Conv2DBackpropInput`. */
export const conv2dInputGradient: WasmKernel = ({ inputs, attrs, backend }) => {
  const [dy, filter] = [floatInput(inputs, 'dy'), floatInput(inputs, 'filter')];
  const inputShape = attrs['inputShape'] as number[];
  const dx = allocate(backend, inputShape);
  const geometry = geometryOf(inputShape, filter.shape, attrs);
  const turned = inputGradientGeometryOf(geometry);
  // The tile gives 8 channels at a time.
  if (turned && geometry.info.inChannels >= 8) {
    expectShape('dy', dy, geometry.info.outShape);
    const { run, placeGeometry } = kernelsOn(backend);
    const at = (tensor: TensorInfo): number => addressOf(backend, tensor);
    run.denseInputGradient(placeGeometry(turned), at(dy), at(filter), at(dx));
  } else gradients({ backend, attrs, inputShape, filterShape: filter.shape, filter, dy, dx });
  return dx;
};

/**
 * Convolution, 2 x 2 max-pooling (`poolPad`), bias and relu (`relu`): outputs and, for the backward pass, a byte for
 * each of them (see `assembly/convolve.ts`).
 */
export const convolvePool: WasmKernel<TensorInfo[]> = ({ inputs, attrs, backend }) => {
  const [x, filter, bias] = [
    floatInput(inputs, 'x'),
    floatInput(inputs, 'filter'),
    floatInput(inputs, 'bias'),
  ];
  const { info, pooled = [0, 0], fields } = geometryOf(x.shape, filter.shape, attrs);
  const shape = [info.batchSize, ...pooled, info.outChannels];
  const [y, index] = [allocate(backend, shape), allocate(backend, shape, 'bool')];
  const { run, placeGeometry } = kernelsOn(backend);
  const at = (tensor: TensorInfo): number => addressOf(backend, tensor);
  const relu = attrs['relu'] === true;
  run.convolvePool(placeGeometry(fields), at(x), at(filter), at(bias), relu, at(y), at(index));
  return [y, index];
};

/** Gradients of {@link convolvePool}: by filter, by bias and, if `inputNeeded`, by x; also part by part (`parts`). */
export const convolvePoolGradients: WasmKernel<TensorInfo[]> = ({ inputs, attrs, backend }) => {
  const [x, filter, dy] = [floatInput(inputs, 'x'), floatInput(inputs, 'filter'), floatInput(inputs, 'dy')];
  const dFilter = allocate(backend, filter.shape);
  const dBias = allocate(backend, filter.shape.slice(3));
  const dx = attrs['inputNeeded'] === true ? allocate(backend, x.shape) : undefined;
  const tensors = { x, filter, dy, index: inputs['index'] as TensorInfo, dFilter, dBias, ...(dx && { dx }) };
  gradients({ backend, attrs, inputShape: x.shape, filterShape: filter.shape, ...tensors });
  return dx ? [dFilter, dBias, dx] : [dFilter, dBias];
};

interface GradientWork extends Pick<KernelCall, 'backend' | 'attrs'> {
  inputShape: readonly number[];
  filterShape: readonly number[];
  x?: TensorInfo;
  filter?: TensorInfo;
  dy: TensorInfo;
  index?: TensorInfo;
  dFilter?: TensorInfo;
  dBias?: TensorInfo;
  dx?: TensorInfo;
}

function gradients({ backend, attrs, inputShape, filterShape, ...tensors }: GradientWork): void {
  const { info, pooled, fields } = geometryOf(inputShape, filterShape, attrs);
  const { x, filter, dy, index, dFilter, dBias, dx } = tensors;
  expectShape('dy', dy, pooled ? [info.batchSize, ...pooled, info.outChannels] : info.outShape);
  if (index) expectShape('index', index, dy.shape);
  const { run, placeGeometry } = kernelsOn(backend);
  const parts = partsOf({ attrs }, info.batchSize);
  const sums = [dFilter, dBias].filter((tensor) => tensor !== undefined);
  const at = (tensor: TensorInfo | undefined): number => addressOf(backend, tensor);
  addParts(backend, { parts, sums }, ({ first, count }, [partFilter, partBias]) => {
    const from = (tensor: TensorInfo | undefined): number =>
      tensor ? at(tensor) + bytesBefore(tensor, first) : 0;
    const geometry = placeGeometry(ofSamples(fields, count));
    run.convolveGradients(
      geometry,
      from(x),
      at(filter),
      from(dy),
      from(index),
      at(partFilter),
      at(partBias),
      from(dx),
    );
  });
}
