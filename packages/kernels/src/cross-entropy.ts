import { util } from '#tfjs-core';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { addressOf, allocate, bytesBefore, expectShape, floatInput } from './heap.ts';
import type { WasmKernel } from './heap.ts';
import type { KernelExports } from './module.ts';
import { kernelsOn } from './module.ts';
import { partsOf } from './parts.ts';

/**
 * Softmax cross-entropy over the last axis: its gradient by the logits, and its sum over each part (`parts`), a double in the
 * place of two floats.
 */
export const softmaxCrossEntropy: WasmKernel<TensorInfo[]> = createCrossEntropy('softmaxCrossEntropy');

/** As {@link softmaxCrossEntropy}, of independent sigmoids: the mean over the last axis, summed over the others. */
export const sigmoidCrossEntropy: WasmKernel<TensorInfo[]> = createCrossEntropy('sigmoidCrossEntropy');

function createCrossEntropy(name: 'softmaxCrossEntropy' | 'sigmoidCrossEntropy'): WasmKernel<TensorInfo[]> {
  return ({ inputs, attrs, backend }) => {
    const [logits, targets] = [floatInput(inputs, 'logits'), floatInput(inputs, 'targets')];
    expectShape('targets', targets, logits.shape);
    const columns = logits.shape.at(-1) ?? 1;
    if (columns === 0) throw new RangeError('logits: expected at least one column, found 0');
    const rows = util.sizeFromShape(logits.shape) / columns;
    const parts = partsOf({ attrs }, rows);
    const [dLogits, losses] = [allocate(backend, logits.shape), allocate(backend, [parts.length, 2])];
    const run: KernelExports = kernelsOn(backend).run;
    let first = 0;
    for (const [i, count] of parts.entries()) {
      const at = (tensor: TensorInfo): number => addressOf(backend, tensor) + 4 * first * columns;
      const loss = addressOf(backend, losses) + bytesBefore(losses, i);
      run[name](at(logits), at(targets), count, columns, loss, at(dLogits));
      first += count;
    }
    return [dLogits, losses];
  };
}
