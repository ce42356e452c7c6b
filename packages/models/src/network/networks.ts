import type { LayerSpec, ModelSpec } from '../specs.ts';

const mnistShape = [28, 28, 1];

// Runs are a few hundred steps an epoch: at the usual 0.99 the averages would lag behind for most of the first one.
const normaliseAndCut: readonly LayerSpec[] = [
  { type: 'batchNormalization', momentum: 0.9 },
  { type: 'activation', activation: 'relu' },
];

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

/** Six 3x3 convolutions with batch normalisation, two of them with stride 2, then the mean of each map. 72,794 parameters. */
export const mnistDeep: ModelSpec = {
  name: 'mnist-deep',
  inputShape: mnistShape,
  layers: [
    ...normalised({ filters: 16 }),
    ...normalised({ filters: 16 }),
    { type: 'maxPooling2d', poolSize: 2 },
    ...normalised({ filters: 32 }),
    ...normalised({ filters: 32 }),
    { type: 'maxPooling2d', poolSize: 2 },
    ...normalised({ filters: 64 }),
    ...normalised({ filters: 64 }),
    { type: 'globalAveragePooling2d' },
    { type: 'dense', units: 10 },
  ],
};

/** Depthwise-separable convolutions as in MobileNet (Howard et al. 2017), with dropout before the last layer. */
export const mnistSeparable: ModelSpec = {
  name: 'mnist-separable',
  inputShape: mnistShape,
  layers: [
    ...normalised({ filters: 16 }),
    ...separable({ filters: 32, strides: 2 }),
    ...separable({ filters: 64 }),
    ...separable({ filters: 64, strides: 2 }),
    ...separable({ filters: 128 }),
    { type: 'globalAveragePooling2d' },
    { type: 'dropout', rate: 0.2 },
    { type: 'dense', units: 10 },
  ],
};

/** Convolution, batch normalisation, relu. */
function normalised({ filters, kernelSize = 3 }: { filters: number; kernelSize?: number }): LayerSpec[] {
  return [{ type: 'conv2d', filters, kernelSize, padding: 'same', useBias: false }, ...normaliseAndCut];
}

/** A filter for each channel, then a mix of the channels; each with batch normalisation and relu. */
function separable({ filters, strides = 1 }: { filters: number; strides?: number }): LayerSpec[] {
  return [
    { type: 'depthwiseConv2d', kernelSize: 3, strides, padding: 'same', useBias: false },
    ...normaliseAndCut,
    ...normalised({ filters, kernelSize: 1 }),
  ];
}

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
