import { util } from '#tfjs-core';
import type { NamedTensorInfoMap, TensorInfo } from '@tensorflow/tfjs-core';
import { addressOf, allocate, expectShape, floatInput } from './heap.ts';
import type { KernelCall, WasmKernel } from './heap.ts';
import { kernelsOn } from './module.ts';

/** Batch normalisation over the last axis, in its training form, and relu if `relu`: output, mean and variance. */
export const batchNorm: WasmKernel<TensorInfo[]> = (call) => {
  const { inputs, attrs, backend } = call;
  const { x, rows, columns } = matrixOf(inputs);
  const [scale, offset] = [columnInput(inputs, 'scale', columns), columnInput(inputs, 'offset', columns)];
  const [y, mean, variance] = [
    allocate(backend, x.shape),
    allocate(backend, [columns]),
    allocate(backend, [columns]),
  ];
  const at = addressesIn(call);
  const [epsilon, relu] = [attrs['epsilon'] as number, attrs['relu'] === true];
  const { run } = kernelsOn(backend);
  run.batchNorm(at(x), rows, columns, at(scale), at(offset), epsilon, relu, at(y), at(mean), at(variance));
  return [y, mean, variance];
};

/** The gradients of {@link batchNorm} by x, scale and offset. */
export const batchNormGradients: WasmKernel<TensorInfo[]> = (call) => {
  const { inputs, attrs, backend } = call;
  const { x, rows, columns } = matrixOf(inputs);
  const dy = floatInput(inputs, 'dy');
  expectShape('dy', dy, x.shape);
  const y = attrs['relu'] === true ? floatInput(inputs, 'output') : undefined;
  if (y) expectShape('output', y, x.shape);
  const column = (name: string): TensorInfo => columnInput(inputs, name, columns);
  const [scale, mean, variance] = [column('scale'), column('mean'), column('variance')];
  const [dx, dScale, dOffset] = [
    allocate(backend, x.shape),
    allocate(backend, [columns]),
    allocate(backend, [columns]),
  ];
  const at = addressesIn(call);
  kernelsOn(backend).run.batchNormGradients(
    at(x),
    at(y),
    at(dy),
    rows,
    columns,
    at(scale),
    at(mean),
    at(variance),
    attrs['epsilon'] as number,
    at(dx),
    at(dScale),
    at(dOffset),
  );
  return [dx, dScale, dOffset];
};

/** `FusedBatchNorm`, the form for inference, for statistics with one value a column; any other goes to the backend's kernel. */
export function createFusedBatchNorm(own: WasmKernel): WasmKernel {
  return (call) => {
    const { inputs, attrs, backend } = call;
    const x = floatInput(inputs, 'x');
    const { mean, variance, scale, offset } = inputs;
    const columns = x.shape.at(-1) ?? 1;
    const given = [mean, variance, scale, offset].filter((tensor) => tensor !== undefined);
    if (given.some(({ shape }) => util.sizeFromShape(shape) !== columns)) return own(call);
    const y = allocate(backend, x.shape);
    const at = addressesIn(call);
    const rows = util.sizeFromShape(x.shape) / columns;
    const epsilon = attrs['varianceEpsilon'] as number;
    const { run } = kernelsOn(backend);
    run.applyBatchNorm(
      at(x),
      rows,
      columns,
      at(scale),
      at(offset),
      epsilon,
      false,
      at(y),
      at(mean),
      at(variance),
    );
    return y;
  };
}

function matrixOf(inputs: NamedTensorInfoMap): { x: TensorInfo; rows: number; columns: number } {
  const x = floatInput(inputs, 'x');
  const size = util.sizeFromShape(x.shape);
  if (x.shape.length === 0 || size === 0) {
    throw new RangeError(`x: expected at least one row, found shape [${x.shape.join(', ')}]`);
  }
  const columns = x.shape.at(-1) as number;
  return { x, rows: size / columns, columns };
}

function columnInput(inputs: NamedTensorInfoMap, name: string, columns: number): TensorInfo {
  const tensor = floatInput(inputs, name);
  expectShape(name, tensor, [columns]);
  return tensor;
}

function addressesIn({ backend }: KernelCall): (tensor: TensorInfo | undefined) => number {
  return (tensor) => addressOf(backend, tensor);
}
