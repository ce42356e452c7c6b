import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { backend, sum, tensor1d } from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { prepareBackend } from '../prepare-backend.ts';

test('a tensor for which there is no room is an error, and what is freed can be used again', async () => {
  await prepareBackend('wasm');
  await prepareBackend('wasm');
  const { asm } = (backend() as BackendWasm).wasm as unknown as {
    asm: { malloc(bytes: number): number; free(address: number): void };
  };
  const held: number[] = [];
  for (const size of [2 ** 28, 2 ** 24, 2 ** 20]) {
    for (let address = asm.malloc(size); address !== 0; address = asm.malloc(size)) held.push(address);
  }
  const values = new Float32Array(2 ** 19).fill(3);
  expect(() => tensor1d(values)).toThrow('expected 2097152 bytes for a tensor, found no room');
  for (const address of held) asm.free(address);
  expect(sum(tensor1d(values)).dataSync()[0]).toBe(3 * 2 ** 19);
});
