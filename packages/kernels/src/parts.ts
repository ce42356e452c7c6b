import type { TensorInfo } from '@tensorflow/tfjs-core';
import { util } from '#tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { addressOf, allocate } from './heap.ts';
import type { KernelCall } from './heap.ts';
import { kernelsOn } from './module.ts';

/** Samples `[first, first + count)` of a batch. */
export interface Part {
  readonly first: number;
  readonly count: number;
}

/** How many samples each part of a batch has: the attribute `parts`, by default all of them in one. */
export function partsOf({ attrs }: Pick<KernelCall, 'attrs'>, samples: number): readonly number[] {
  const parts = attrs['parts'] as number[] | undefined;
  // There may be none.
  if (parts === undefined) return [samples];
  const sum = parts.reduce((total, count) => total + count, 0);
  const isTree = parts.length > 0 && (parts.length & (parts.length - 1)) === 0;
  if (!isTree || sum !== samples || parts.some((count) => !(count >= 1))) {
    const found = `${parts.length} that hold [${parts.join(', ')}]`;
    throw new RangeError(`parts: expected 1, 2, 4, … parts of ${samples} samples, found ${found}`);
  }
  return parts;
}

/**
 * Sums over the samples of a batch, part by part, the parts' sums added as the halves of a balanced tree.
 *
 * @param sums - get the result.
 * @param compute - stores the sums over one part; called for each, in order.
 */
export function addParts(
  backend: BackendWasm,
  { parts, sums }: { readonly parts: readonly number[]; readonly sums: readonly TensorInfo[] },
  compute: (part: Part, sums: readonly TensorInfo[]) => void,
): void {
  let first = 0;
  const add = (into: readonly TensorInfo[], from: number, to: number): void => {
    if (to - from === 1) {
      const count = parts[from] as number;
      compute({ first, count }, into);
      first += count;
      return;
    }
    const mid = (from + to) / 2;
    add(into, from, mid);
    const others = into.map(({ shape }) => allocate(backend, shape));
    add(others, mid, to);
    for (const [i, other] of others.entries()) {
      const target = addressOf(backend, into[i]);
      kernelsOn(backend).run.addTo(target, addressOf(backend, other), util.sizeFromShape(other.shape));
      backend.disposeData(other.dataId);
    }
  };
  add(sums, 0, parts.length);
}

/** Numbers on the heap for the time of a call. */
export function withNumbers(
  backend: BackendWasm,
  numbers: readonly number[],
  use: (address: number) => void,
): void {
  const tensor = backend.makeOutput([numbers.length], 'int32');
  backend.typedArrayFromHeap(tensor).set(numbers);
  use(addressOf(backend, tensor));
  backend.disposeData(tensor.dataId);
}
