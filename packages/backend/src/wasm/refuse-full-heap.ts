import { backend } from '#tfjs-core';

/** What Emscripten makes of a module, as far as it is needed here: tfjs allocates tensors with it. */
type Heap = Record<'_malloc', (bytes: number) => number> & Record<'_free', (address: number) => void>;

const guarded = new WeakSet<object>();

/**
 * Makes an allocation fail when the wasm heap (4 GiB) is full. tfjs takes the address 0 that it is given then for a place like
 * any other: tensors would lie on each other, and results be wrong in silence.
 */
export function refuseFullHeap(): void {
  const { wasm } = backend() as unknown as { readonly wasm: Heap };
  if (guarded.has(wasm)) return;
  guarded.add(wasm);
  // Emscripten puts the real function in place when it is called for the first time.
  wasm['_free'](wasm['_malloc'](16));
  const allocate = wasm['_malloc'];
  wasm['_malloc'] = (bytes) => {
    const address = allocate(bytes);
    if (address === 0 && bytes > 0) {
      throw new RangeError(`expected ${bytes} bytes for a tensor, found no room on the wasm heap of 4 GiB`);
    }
    return address;
  };
}
