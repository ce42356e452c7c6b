import { prepareBackend } from '@gradwire/backend';
import { expect, test } from 'vitest';

// The only test of its file: what is tested is the first use of tfjs in a process.
test('two that prepare the backend at the same moment both get it', async () => {
  const [first, second] = await Promise.all([prepareBackend('wasm'), prepareBackend('wasm')]);
  expect(second).toEqual(first);
});
