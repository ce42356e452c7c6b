import { mnistCnn, mnistDeep, parameterLayout } from '@gradwire/models';
import { expect, test } from 'vitest';
import { explainNetwork } from '../explain.ts';

test("the article's network: which layers share a block, and what they cost", () => {
  const blocks = explainNetwork(mnistCnn);
  expect(blocks.map(({ path, layers }) => [path, layers.map(({ name }) => name).join(' ')])).toEqual([
    ['kernel', 'conv2d_1 max_pooling2d_1'],
    ['kernel', 'conv2d_2 max_pooling2d_2'],
    ['block', 'flatten_1'],
    ['block', 'dense_1'],
    ['block', 'dense_2'],
  ]);
  expect(blocks.flatMap(({ layers }) => layers.map(({ multiplications }) => multiplications))).toEqual([
    26 * 26 * 9 * 32,
    0,
    11 * 11 * 9 * 32 * 64,
    0,
    0,
    1600 * 128,
    1280,
  ]);
  expect(blocks[1]?.layers[0]).toMatchObject({ outputShape: [11, 11, 64], parameters: 18_496 });
});

test('a deeper network: convolution, batch normalisation, relu and pooling are one block', () => {
  const blocks = explainNetwork(mnistDeep);
  expect(blocks[1]).toMatchObject({
    path: 'block',
    layers: [
      { name: 'conv2d_2' },
      { name: 'batch_normalization_2', parameters: 64 },
      { name: 'activation_2' },
      { name: 'max_pooling2d_1', outputShape: [14, 14, 16] },
    ],
  });
  const parameters = blocks.flatMap(({ layers }) => layers.map((layer) => layer.parameters));
  expect(parameters.reduce((a, b) => a + b)).toBe(parameterLayout(mnistDeep).size);
});
