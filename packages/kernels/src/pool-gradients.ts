import { poolGeometryOf } from './geometry.ts';
import { addressOf, allocate, expectShape, floatInput } from './heap.ts';
import type { WasmKernel } from './heap.ts';
import { kernelsOn } from './module.ts';

/**
 * `MaxPoolGrad` as TensorFlow defines it: the gradient of a window goes to its first maximum, in row order. (The
 * backend's own kernel takes the last one.)
 */
export const maxPoolGradient: WasmKernel = ({ inputs, attrs, backend }) => {
  const [dy, x, y] = [floatInput(inputs, 'dy'), floatInput(inputs, 'input'), floatInput(inputs, 'output')];
  const { info, fields } = poolGeometryOf(x.shape, attrs);
  expectShape('dy', dy, info.outShape);
  expectShape('output', y, info.outShape);
  const dx = allocate(backend, x.shape);
  const [atX, atY, atDy, atDx] = [x, y, dy, dx].map((tensor) => addressOf(backend, tensor));
  const { run, placeGeometry } = kernelsOn(backend);
  run.maxPoolGradient(placeGeometry(fields), atX as number, atY as number, atDy as number, atDx as number);
  return dx;
};

/** `AvgPoolGrad` that counts only pixels inside the picture, as the forward pass does. */
export const averagePoolGradient: WasmKernel = ({ inputs, attrs, backend }) => {
  const [dy, x] = [floatInput(inputs, 'dy'), floatInput(inputs, 'input')];
  const { info, fields } = poolGeometryOf(x.shape, attrs);
  expectShape('dy', dy, info.outShape);
  const dx = allocate(backend, x.shape);
  const { run, placeGeometry } = kernelsOn(backend);
  run.averagePoolGradient(placeGeometry(fields), addressOf(backend, dy), addressOf(backend, dx));
  return dx;
};
