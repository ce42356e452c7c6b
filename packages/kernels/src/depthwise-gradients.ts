import { depthwiseGeometryOf, ofSamples } from './geometry.ts';
import { addressOf, allocate, bytesBefore, expectShape, floatInput } from './heap.ts';
import type { WasmKernel } from './heap.ts';
import { kernelsOn } from './module.ts';
import { addParts, partsOf } from './parts.ts';

/** `DepthwiseConv2dNativeBackpropFilter`, which the backend lacks; also part by part (`parts`). */
export const depthwiseFilterGradient: WasmKernel = ({ inputs, attrs, backend }) => {
  const [x, dy] = [floatInput(inputs, 'x'), floatInput(inputs, 'dy')];
  const filterShape = attrs['filterShape'] as number[];
  const { info, fields } = depthwiseGeometryOf(x.shape, filterShape, attrs);
  expectShape('dy', dy, info.outShape);
  const dFilter = allocate(backend, filterShape);
  const { run, placeGeometry } = kernelsOn(backend);
  const parts = partsOf({ attrs }, info.batchSize);
  addParts(backend, { parts, sums: [dFilter] }, ({ first, count }, [sum]) => {
    const at = (tensor: typeof x): number => addressOf(backend, tensor) + bytesBefore(tensor, first);
    run.depthwiseFilterGradient(
      placeGeometry(ofSamples(fields, count)),
      at(x),
      at(dy),
      addressOf(backend, sum),
    );
  });
  return dFilter;
};

/** `DepthwiseConv2dNativeBackpropInput`, which the backend lacks. */
export const depthwiseInputGradient: WasmKernel = ({ inputs, attrs, backend }) => {
  const [dy, filter] = [floatInput(inputs, 'dy'), floatInput(inputs, 'filter')];
  const inputShape = attrs['inputShape'] as number[];
  const { info, fields } = depthwiseGeometryOf(inputShape, filter.shape, attrs);
  expectShape('dy', dy, info.outShape);
  const dx = allocate(backend, inputShape);
  const at = (tensor: typeof dy): number => addressOf(backend, tensor);
  const { run, placeGeometry } = kernelsOn(backend);
  run.depthwiseInputGradient(placeGeometry(fields), at(filter), at(dy), at(dx));
  return dx;
};
