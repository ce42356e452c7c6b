import type { Tensor } from '@tensorflow/tfjs-core';
import { add, backend, memory } from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { whatIsMissing } from '../check-native.ts';
import { loadNative } from '../load-native.ts';
import type { TensorflowBackend } from './execute.ts';
import { oneDnnAgrees } from './probe-one-dnn.ts';

const missing = whatIsMissing();
const isX64Linux = process.platform === 'linux' && process.arch === 'x64';
const names = [
  '_MklMatMul',
  '_MklNativeConv2D',
  '_MklNativeConv2DBackpropFilter',
  '_MklNativeConv2DBackpropInput',
  '_MklNativeMaxPool',
  '_MklNativeMaxPoolGrad',
];

async function realBackend(): Promise<TensorflowBackend> {
  await loadNative();
  return backend() as unknown as TensorflowBackend;
}

/** The library, but with another answer of one operation. */
function withOther(
  real: TensorflowBackend,
  name: string,
  answer: (run: (name: string) => Tensor[]) => Tensor[],
): TensorflowBackend {
  return {
    binding: real.binding,
    executeMultipleOutputs(asked, attributes, inputs, outputs) {
      const run = (wanted: string): Tensor[] =>
        real.executeMultipleOutputs(wanted, attributes, inputs, outputs);
      return asked === name ? answer(run) : run(asked);
    },
  };
}

test.runIf(missing === undefined && isX64Linux)('the private operations agree', async () => {
  const real = await realBackend();
  const { numTensors } = memory();
  expect(oneDnnAgrees(real)).toBe(true);
  expect(memory().numTensors).toBe(numTensors);
});

test.skipIf(missing).each(names)('%s missing or wrong: no agreement, no tensor left', async (name) => {
  const real = await realBackend();
  const { numTensors } = memory();
  const without = withOther(real, name, (run) => run(`${name}OfAnotherVersion`));
  expect(oneDnnAgrees(without)).toBe(false);
  const wrong = withOther(real, name, (run) => {
    const [first, ...others] = run(name);
    return [add(first as Tensor, 1e-6), ...others];
  });
  expect(oneDnnAgrees(wrong)).toBe(false);
  expect(memory().numTensors).toBe(numTensors);
});
