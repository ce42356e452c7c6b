import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { fractions, runKernel, startKernels } from './test-support.ts';

beforeAll(startKernels);

const convolution = { strides: 1, pad: 'same', dataFormat: 'NHWC' };
const [x, filter, bias] = [fractions([3, 11, 9, 5], 1), fractions([3, 3, 5, 12], 2), fractions([12], 3)];
const [dz, dy] = [fractions([3, 11, 9, 12], 4), fractions([3, 5, 4, 12], 5)];
const index = { shape: dy.shape, dtype: 'bool' as const, data: Array.from(dy.data, (_, i) => i % 5) };
const fused = { ...convolution, poolPad: 'valid', relu: true, inputNeeded: true };
const pool = { filterSize: 3, strides: 2, pad: 'same' };
const [poolX, poolY, poolDy] = [
  fractions([2, 7, 7, 6], 6),
  fractions([2, 4, 4, 6], 7),
  fractions([2, 4, 4, 6], 8),
];
const depthwise = { ...convolution, inputShape: [2, 7, 7, 6], filterShape: [3, 3, 6, 1] };
const shapes = { inputShape: x.shape, filterShape: filter.shape };

const kernels: Record<string, () => ReturnType<typeof runKernel>> = {
  Conv2D: () => runKernel('Conv2D', { x, filter }, convolution),
  Conv2DBackpropFilter: () => runKernel('Conv2DBackpropFilter', { x, dy: dz }, { ...convolution, ...shapes }),
  Conv2DBackpropInput: () =>
    runKernel('Conv2DBackpropInput', { dy: dz, filter }, { ...convolution, ...shapes }),
  GradwireConvolvePool: () => runKernel('GradwireConvolvePool', { x, filter, bias }, fused),
  'GradwireConvolvePool, 20 channels': () =>
    runKernel(
      'GradwireConvolvePool',
      { x: fractions([3, 9, 8, 20], 13), filter: fractions([3, 3, 20, 12], 14), bias },
      fused,
    ),
  GradwireConvolvePoolGradients: () =>
    runKernel('GradwireConvolvePoolGradients', { x, filter, dy, index }, fused),
  BatchMatMul: () =>
    runKernel(
      'BatchMatMul',
      { a: fractions([1, 600, 13], 9), b: fractions([1, 11, 600], 10) },
      { transposeA: true, transposeB: true },
    ),
  MaxPoolGrad: () => runKernel('MaxPoolGrad', { dy: poolDy, input: poolX, output: poolY }, pool),
  AvgPoolGrad: () => runKernel('AvgPoolGrad', { dy: poolDy, input: poolX }, pool),
  DepthwiseConv2dNativeBackpropFilter: () =>
    runKernel(
      'DepthwiseConv2dNativeBackpropFilter',
      { x: poolX, dy: fractions([2, 7, 7, 6], 11) },
      depthwise,
    ),
  DepthwiseConv2dNativeBackpropInput: () =>
    runKernel(
      'DepthwiseConv2dNativeBackpropInput',
      { dy: fractions([2, 7, 7, 6], 11), filter: fractions([3, 3, 6, 1], 12) },
      depthwise,
    ),
  GradwireAddBias: () => runKernel('GradwireAddBias', { x: dz, bias }, { relu: true }),
  Sum: () => runKernel('Sum', { x: dz }, { axis: [0, 1, 2], keepDims: false }),
};

// First quarter of the SHA-256 of every kernel's results, on every machine. A change here is a new numerics class: say so in the change set.
const golden: Record<string, string> = {
  Conv2D: '5f7ae9210fccedf8',
  Conv2DBackpropFilter: '8ea23e7105c245d7',
  Conv2DBackpropInput: '5234d39d3dd45952',
  GradwireConvolvePool: 'ceddb6ce06072f67',
  'GradwireConvolvePool, 20 channels': 'ef49a8bc370cefc5',
  GradwireConvolvePoolGradients: '171ddbb28f478a65',
  BatchMatMul: '448d2302c076251b',
  MaxPoolGrad: 'caab8abeb27cc173',
  AvgPoolGrad: 'b6525e0617885446',
  DepthwiseConv2dNativeBackpropFilter: '6acc261e559b4355',
  DepthwiseConv2dNativeBackpropInput: 'c56753a21abe477d',
  GradwireAddBias: '94001f99cf2e6194',
  Sum: '4f40ea5b776b9a61',
};

test.each(Object.keys(kernels))('the bits of %s are the recorded ones', (name) => {
  const hash = createHash('sha256');
  for (const { data } of kernels[name]?.() ?? []) {
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  expect(hash.digest('hex').slice(0, 16)).toBe(golden[name]);
});

test('the module brings no data, no start function and no imports but the heap', async () => {
  const bytes = new Uint8Array(await readFile(new URL('../dist/kernels.wasm', import.meta.url)));
  const [start, data, dataCount] = [8, 11, 12];
  const sections = sectionIds(bytes);
  for (const section of [start, data, dataCount]) expect(sections).not.toContain(section);
  const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyReader };
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(bytes));
  expect(imports.map(({ module, name }) => `${module}.${name}`).sort()).toEqual([
    'env.memory',
    'heap.free',
    'heap.malloc',
  ]);
});

interface WebAssemblyReader {
  Module: (new (
    bytes: Uint8Array,
  ) => object) & { imports(module: object): { module: string; name: string }[] };
}

/** Section ids of a WebAssembly file: after 8 bytes of header, each section is an id, a LEB128 size and its contents. */
function sectionIds(bytes: Uint8Array): number[] {
  const ids: number[] = [];
  for (let at = 8; at < bytes.length; ) {
    ids.push(bytes[at++] as number);
    let [size, shift, byte] = [0, 0, 0];
    do {
      byte = bytes[at++] as number;
      size |= (byte & 127) << shift;
      shift += 7;
    } while (byte & 128);
    at += size;
  }
  return ids;
}
