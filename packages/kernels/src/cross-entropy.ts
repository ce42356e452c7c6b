import { util } from '@tensorflow/tfjs-core';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { addressOf, allocate, expectShape, floatInput } from './heap.ts';
import type { WasmKernel } from './heap.ts';
import type { KernelExports } from './module.ts';
import { kernelsOn } from './module.ts';

/** Softmax cross-entropy over the last axis: its gradient by the logits, and its sum, a double in the place of two floats. */
export const softmaxCrossEntropy: WasmKernel<TensorInfo[]> = createCrossEntropy('softmaxCrossEntropy');

/** As {@link softmaxCrossEntropy}, of independent sigmoids: the mean over the last axis, summed over the others. */
export const sigmoidCrossEntropy: WasmKernel<TensorInfo[]> = createCrossEntropy('sigmoidCrossEntropy');

function createCrossEntropy(name: 'softmaxCrossEntropy' | 'sigmoidCrossEntropy'): WasmKernel<TensorInfo[]> {
  return ({ inputs, backend }) => {
    const [logits, targets] = [floatInput(inputs, 'logits'), floatInput(inputs, 'targets')];
    expectShape('targets', targets, logits.shape);
    const columns = logits.shape.at(-1) ?? 1;
    if (columns === 0) throw new RangeError('logits: expected at least one column, found 0');
    const rows = util.sizeFromShape(logits.shape) / columns;
    const [dLogits, loss] = [allocate(backend, logits.shape), allocate(backend, [2])];
    const at = (tensor: TensorInfo): number => addressOf(backend, tensor);
    const run: KernelExports = kernelsOn(backend).run;
    run[name](at(logits), at(targets), rows, columns, at(loss), at(dLogits));
    return [dLogits, loss];
  };
}
