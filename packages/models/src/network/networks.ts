import type { LayerSpec, ModelSpec } from '../specs.ts';

const mnistShape = [28, 28, 1];

/** The article's network: two 3x3 convolutions with pooling, then two dense layers. 225,034 parameters. */
export const mnistCnn: ModelSpec = {
  name: 'mnist-cnn',
  inputShape: mnistShape,
  layers: [
    { type: 'conv2d', filters: 32, kernelSize: 3, activation: 'relu' },
    { type: 'maxPooling2d', poolSize: 2 },
    { type: 'conv2d', filters: 64, kernelSize: 3, activation: 'relu' },
    { type: 'maxPooling2d', poolSize: 2 },
    { type: 'flatten' },
    { type: 'dense', units: 128, activation: 'relu' },
    { type: 'dense', units: 10 },
  ],
};

/** The article's smaller network: two convolutions of 16 filters that keep the image's size. 104,250 parameters. */
export const mnistCnnSmall: ModelSpec = {
  name: 'mnist-cnn-small',
  inputShape: mnistShape,
  layers: [
    { type: 'conv2d', filters: 16, kernelSize: 3, padding: 'same', activation: 'relu' },
    { type: 'maxPooling2d', poolSize: 2 },
    { type: 'conv2d', filters: 16, kernelSize: 3, padding: 'same', activation: 'relu' },
    { type: 'maxPooling2d', poolSize: 2 },
    { type: 'flatten' },
    { type: 'dense', units: 128, activation: 'relu' },
    { type: 'dense', units: 10 },
  ],
};

/** As accurate as the article's network after a tenth of the work, with `mnist-fast`'s settings. 108,874 parameters. */
export const mnistFast: ModelSpec = {
  name: 'mnist-fast',
  inputShape: mnistShape,
  layers: [
    { type: 'conv2d', filters: 16, kernelSize: 5, activation: 'relu' },
    { type: 'maxPooling2d', poolSize: 2 },
    { type: 'conv2d', filters: 32, kernelSize: 3, activation: 'relu' },
    { type: 'maxPooling2d', poolSize: 2 },
    { type: 'flatten' },
    { type: 'dense', units: 128, activation: 'relu' },
    { type: 'dense', units: 10 },
  ],
};

/** One linear layer: with a softmax this is multinomial logistic regression. 7,850 parameters. */
export const logisticRegression: ModelSpec = {
  name: 'logistic-regression',
  inputShape: mnistShape,
  layers: [{ type: 'flatten' }, { type: 'dense', units: 10 }],
};

/** A multilayer perceptron with two hidden layers. 109,386 parameters. */
export const mlp: ModelSpec = {
  name: 'mlp',
  inputShape: mnistShape,
  layers: [
    { type: 'flatten' },
    { type: 'dense', units: 128, activation: 'relu' },
    { type: 'dense', units: 64, activation: 'relu' },
    { type: 'dense', units: 10 },
  ],
};

/**
 * The same network with another number of outputs.
 *
 * @throws TypeError if the network does not end in a dense layer.
 *
 * @example
 * withOutputs(mnistCnn, 1); // for a binary task
 */
export function withOutputs(spec: ModelSpec, units: number): ModelSpec {
  const last = spec.layers.at(-1);
  if (last?.type !== 'dense')
    throw new TypeError(`spec: expected a dense layer at the end, found ${last?.type}`);
  const layers: LayerSpec[] = [...spec.layers.slice(0, -1), { ...last, units }];
  return { ...spec, layers };
}
