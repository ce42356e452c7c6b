// In Node, `#tfjs-core` is this module: `import` of the CommonJS file would first read its names with a lexer in JavaScript,
// 0.15 s in each thread; `require` does not. Both give one module, whoever loads it. Browsers import the package itself.
import { createRequire } from 'node:module';
import type * as Tfjs from '@tensorflow/tfjs-core';

const core = createRequire(import.meta.url)('@tensorflow/tfjs-core') as typeof Tfjs;

export const abs: typeof Tfjs.abs = core.abs;
export const add: typeof Tfjs.add = core.add;
export const addN: typeof Tfjs.addN = core.addN;
export const avgPool: typeof Tfjs.avgPool = core.avgPool;
export const AvgPoolGrad: typeof Tfjs.AvgPoolGrad = core.AvgPoolGrad;
export const backend: typeof Tfjs.backend = core.backend;
export const backend_util: typeof Tfjs.backend_util = core.backend_util;
export const cast: typeof Tfjs.cast = core.cast;
export const concat: typeof Tfjs.concat = core.concat;
export const conv2d: typeof Tfjs.conv2d = core.conv2d;
export const Conv2DBackpropFilter: typeof Tfjs.Conv2DBackpropFilter = core.Conv2DBackpropFilter;
export const Conv2DBackpropInput: typeof Tfjs.Conv2DBackpropInput = core.Conv2DBackpropInput;
export const depthwiseConv2d: typeof Tfjs.depthwiseConv2d = core.depthwiseConv2d;
export const DepthwiseConv2dNativeBackpropFilter: typeof Tfjs.DepthwiseConv2dNativeBackpropFilter =
  core.DepthwiseConv2dNativeBackpropFilter;
export const DepthwiseConv2dNativeBackpropInput: typeof Tfjs.DepthwiseConv2dNativeBackpropInput =
  core.DepthwiseConv2dNativeBackpropInput;
export const div: typeof Tfjs.div = core.div;
export const elu: typeof Tfjs.elu = core.elu;
export const engine: typeof Tfjs.engine = core.engine;
export const env: typeof Tfjs.env = core.env;
export const fill: typeof Tfjs.fill = core.fill;
export const findBackend: typeof Tfjs.findBackend = core.findBackend;
export const getBackend: typeof Tfjs.getBackend = core.getBackend;
export const getKernel: typeof Tfjs.getKernel = core.getKernel;
export const greater: typeof Tfjs.greater = core.greater;
export const keep: typeof Tfjs.keep = core.keep;
export const less: typeof Tfjs.less = core.less;
export const logicalAnd: typeof Tfjs.logicalAnd = core.logicalAnd;
export const matMul: typeof Tfjs.matMul = core.matMul;
export const maxPool: typeof Tfjs.maxPool = core.maxPool;
export const MaxPoolGrad: typeof Tfjs.MaxPoolGrad = core.MaxPoolGrad;
export const mean: typeof Tfjs.mean = core.mean;
export const minimum: typeof Tfjs.minimum = core.minimum;
export const mul: typeof Tfjs.mul = core.mul;
export const ones: typeof Tfjs.ones = core.ones;
export const ready: typeof Tfjs.ready = core.ready;
export const registerKernel: typeof Tfjs.registerKernel = core.registerKernel;
export const relu: typeof Tfjs.relu = core.relu;
export const relu6: typeof Tfjs.relu6 = core.relu6;
export const reshape: typeof Tfjs.reshape = core.reshape;
export const setBackend: typeof Tfjs.setBackend = core.setBackend;
export const sigmoid: typeof Tfjs.sigmoid = core.sigmoid;
export const slice: typeof Tfjs.slice = core.slice;
export const split: typeof Tfjs.split = core.split;
export const sqrt: typeof Tfjs.sqrt = core.sqrt;
export const square: typeof Tfjs.square = core.square;
export const sub: typeof Tfjs.sub = core.sub;
export const sum: typeof Tfjs.sum = core.sum;
export const tanh: typeof Tfjs.tanh = core.tanh;
export const tensor: typeof Tfjs.tensor = core.tensor;
export const tensor1d: typeof Tfjs.tensor1d = core.tensor1d;
export const tidy: typeof Tfjs.tidy = core.tidy;
export const transpose: typeof Tfjs.transpose = core.transpose;
export const unregisterKernel: typeof Tfjs.unregisterKernel = core.unregisterKernel;
export const util: typeof Tfjs.util = core.util;
export const zeros: typeof Tfjs.zeros = core.zeros;
export const zerosLike: typeof Tfjs.zerosLike = core.zerosLike;
