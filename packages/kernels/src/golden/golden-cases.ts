import { abs, engine, maxPool, mul, tensor } from '#tfjs-core';
import type {
  NamedAttrMap,
  NamedTensorMap,
  Tensor,
  Tensor1D,
  Tensor2D,
  Tensor4D,
} from '@tensorflow/tfjs-core';
import { uniform } from '@gradwire/random';
import * as operations from '../operations.ts';

/** Runs kernels on inputs from Philox; the results belong to the surrounding `tidy`. */
export type GoldenCase = () => Tensor[];

/**
 * Every kernel on several shapes, odd edges among them, by name. The inputs are the same bits on every machine: fractions
 * that are exact in single precision.
 */
export function goldenCases(): ReadonlyMap<string, GoldenCase> {
  return new Map([
    ...convolutions(),
    ...pooledConvolutions(),
    ...products(),
    ...sumsOfParts(),
    ...poolings(),
    ...depthwise(),
    ...batchNorms(),
    ...elementwise(),
    ...losses(),
  ]);
}

type NamedCases = (readonly [string, GoldenCase])[];
type Shape4D = [number, number, number, number];

/** Fractions from -1 to 1. */
function draw(shape: readonly number[], seed: number): Tensor {
  const size = shape.reduce((product, side) => product * side, 1);
  const values = uniform({ seed, stream: 'probe' }, size, { low: -1, high: 1 });
  return tensor(Float32Array.from(values), [...shape]);
}

function run(kernel: string, inputs: NamedTensorMap, attrs: object = {}): Tensor[] {
  return [engine().runKernel<Tensor | Tensor[]>(kernel, inputs, attrs as NamedAttrMap)].flat();
}

function convolutions(): NamedCases {
  const shapes: [string, Shape4D, Shape4D, { strides: number; pad: 'same' | 'valid'; dilations?: number }][] =
    [
      ['3 x 3, same', [3, 11, 9, 5], [3, 3, 5, 12], { strides: 1, pad: 'same' }],
      ['5 x 5, one channel', [2, 12, 13, 1], [5, 5, 1, 16], { strides: 1, pad: 'valid' }],
      ['3 x 2, stride 2', [2, 9, 10, 3], [3, 2, 3, 7], { strides: 2, pad: 'same' }],
      ['3 x 3, dilation 2', [1, 12, 12, 4], [3, 3, 4, 9], { strides: 1, pad: 'valid', dilations: 2 }],
      ['3 x 3, same, even sides', [2, 8, 14, 16], [3, 3, 16, 20], { strides: 1, pad: 'same' }],
      ['3 x 3, same, odd sides', [3, 7, 9, 16], [3, 3, 16, 20], { strides: 1, pad: 'same' }],
      ['1 x 1, 20 to 24', [4, 5, 5, 20], [1, 1, 20, 24], { strides: 1, pad: 'same' }],
      ['1 x 1, 37 to 33', [2, 5, 5, 37], [1, 1, 37, 33], { strides: 1, pad: 'valid' }],
    ];
  return shapes.flatMap(([title, inputShape, filterShape, options]) => {
    const attrs = { ...options, dataFormat: 'NHWC', inputShape, filterShape };
    const inputs = (): { x: Tensor; filter: Tensor } => ({
      x: draw(inputShape, 1),
      filter: draw(filterShape, 2),
    });
    const dy = ({ x, filter }: ReturnType<typeof inputs>): Tensor =>
      draw(run('Conv2D', { x, filter }, attrs)[0]?.shape ?? [], 3);
    return [
      [`Conv2D ${title}`, () => run('Conv2D', inputs(), attrs)],
      [
        `Conv2DBackpropFilter ${title}`,
        () => run('Conv2DBackpropFilter', { x: inputs().x, dy: dy(inputs()) }, attrs),
      ],
      [
        `Conv2DBackpropInput ${title}`,
        () => run('Conv2DBackpropInput', { filter: inputs().filter, dy: dy(inputs()) }, attrs),
      ],
    ] as NamedCases;
  });
}

function pooledConvolutions(): NamedCases {
  const valid = { strides: 1, pad: 'valid', poolPad: 'valid', relu: true } as const;
  const shapes: [string, Shape4D, Shape4D, operations.ConvolvePoolOptions][] = [
    ['3 x 3, one channel', [3, 28, 28, 1], [3, 3, 1, 32], valid],
    ['5 x 5, one channel', [3, 28, 28, 1], [5, 5, 1, 16], valid],
    ['same, odd sides', [3, 11, 9, 5], [3, 3, 5, 12], { ...valid, pad: 'same', poolPad: 'same' }],
    ['no relu, stride 2', [2, 13, 11, 3], [2, 3, 3, 9], { ...valid, strides: 2, relu: false }],
    ["Winograd's, 20 to 12", [3, 9, 8, 20], [3, 3, 20, 12], { ...valid, pad: 'same' }],
    ["Winograd's, 32 to 64", [5, 13, 13, 32], [3, 3, 32, 64], valid],
    ["Winograd's, 16 to 32", [5, 12, 12, 16], [3, 3, 16, 32], valid],
  ];
  return shapes.map(([title, inputShape, filterShape, options]) => [
    `convolvePool and its gradients, ${title}`,
    () => {
      const [x, filter] = [draw(inputShape, 1) as Tensor4D, draw(filterShape, 2) as Tensor4D];
      const bias = draw([filterShape[3]], 3) as Tensor1D;
      const { output, index } = operations.convolvePool({ x, filter, bias }, options);
      const dy = draw(output.shape, 4) as Tensor4D;
      // Without a gradient by x, a first layer takes another way.
      const gradients = [true, false].map((inputNeeded) =>
        operations.convolvePoolGradients({ x, filter, index, dy }, { ...options, inputNeeded }),
      );
      return [output, index, ...gradients.flatMap((tensors) => Object.values(tensors))];
    },
  ]);
}

function products(): NamedCases {
  const sides = [
    [13, 600, 11],
    [1, 1, 1],
    [33, 257, 10],
    [6, 40, 128],
  ] as const;
  const flags = [
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ] as const;
  return sides.flatMap(([m, k, n]) =>
    flags.map(([transposeA, transposeB]): NamedCases[number] => [
      `BatchMatMul ${m} x ${k} x ${n}, ${transposeA ? 'transposed' : 'plain'}, ${transposeB ? 'transposed' : 'plain'}`,
      () => {
        const a = draw(transposeA ? [1, k, m] : [1, m, k], 1);
        const b = draw(transposeB ? [1, n, k] : [1, k, n], 2);
        return run('BatchMatMul', { a, b }, { transposeA, transposeB });
      },
    ]),
  );
}

function poolings(): NamedCases {
  const shapes = [
    ['3 x 3, stride 2, same', [2, 7, 7, 6], { filterSize: 3, strides: 2, pad: 'same' }],
    ['2 x 2, valid', [3, 9, 8, 5], { filterSize: 2, strides: 2, pad: 'valid' }],
    ['3 x 3, stride 1', [1, 6, 5, 16], { filterSize: 3, strides: 1, pad: 'valid' }],
  ] as const;
  return shapes.flatMap(([title, shape, attrs]): NamedCases => {
    const forward = (): NamedTensorMap & { dy: Tensor } => {
      const input = draw(shape, 1) as Tensor4D;
      const output = maxPool(input, attrs.filterSize, attrs.strides, attrs.pad);
      return { input, output, dy: draw(output.shape, 2) };
    };
    return [
      [`MaxPoolGrad ${title}`, () => run('MaxPoolGrad', forward(), attrs)],
      [
        `AvgPoolGrad ${title}`,
        () => {
          const { input, dy } = forward();
          return run('AvgPoolGrad', { input: input as Tensor, dy }, attrs);
        },
      ],
    ];
  });
}

function depthwise(): NamedCases {
  const shapes = [
    ['3 x 3', [2, 7, 7, 6], [3, 3, 6, 1], [2, 7, 7, 6], 'same'],
    ['3 x 3, 37 channels', [2, 7, 8, 37], [3, 3, 37, 1], [2, 7, 8, 37], 'same'],
    ['2 x 3, multiplier 3', [2, 6, 8, 5], [2, 3, 5, 3], [2, 5, 6, 15], 'valid'],
  ] as const;
  return shapes.flatMap(([title, inputShape, filterShape, outShape, pad]): NamedCases => {
    const attrs = { strides: 1, dilations: 1, pad, inputShape, filterShape };
    const name = 'DepthwiseConv2dNativeBackprop';
    return [
      [
        `${name}Filter ${title}`,
        () => run(`${name}Filter`, { x: draw(inputShape, 1), dy: draw(outShape, 2) }, attrs),
      ],
      [
        `${name}Input ${title}`,
        () => run(`${name}Input`, { filter: draw(filterShape, 1), dy: draw(outShape, 2) }, attrs),
      ],
    ];
  });
}

function batchNorms(): NamedCases {
  const shapes = [
    [3, 5, 4, 6],
    [75, 3],
    [2, 9, 9, 32],
    [7, 1],
  ];
  return shapes.flatMap((shape): NamedCases => {
    const channels = shape.slice(-1);
    const columns = (): { scale: Tensor1D; offset: Tensor1D } => ({
      scale: draw(channels, 2) as Tensor1D,
      offset: draw(channels, 3) as Tensor1D,
    });
    const training = (options: operations.BatchNormOptions): Tensor[] => {
      const [x, dy] = [draw(shape, 1), draw(shape, 4)];
      const forward = operations.batchNorm({ x, ...columns() }, options);
      const gradients = operations.batchNormGradients({ x, dy, ...columns(), ...forward }, options);
      return [...Object.values(forward), ...Object.values(gradients)];
    };
    const title = shape.join(' x ');
    return [
      [`batchNorm and its gradients, ${title}`, () => training({ epsilon: 1e-3, relu: false })],
      [`batchNorm and its gradients, relu, ${title}`, () => training({ epsilon: 1e-5, relu: true })],
      [
        `FusedBatchNorm ${title}`,
        () => {
          const statistics = { mean: draw(channels, 5), variance: abs(draw(channels, 6)) };
          return run(
            'FusedBatchNorm',
            { x: draw(shape, 1), ...columns(), ...statistics },
            { varianceEpsilon: 1e-3 },
          );
        },
      ],
    ];
  });
}

function sumsOfParts(): NamedCases {
  const conv = { strides: 1, pad: 'valid', poolPad: 'valid', relu: true, inputNeeded: true } as const;
  return [[5], [2, 3], [16, 16, 15, 17], [1, 300]].flatMap((parts): NamedCases => {
    const samples = parts.reduce((sum, count) => sum + count, 0);
    const title = `of parts ${parts.join(' + ')}`;
    return [
      [
        `sumOfProducts ${title}`,
        () => [
          operations.sumOfProducts(
            draw([samples, 37], 1) as Tensor2D,
            draw([samples, 12], 2) as Tensor2D,
            parts,
          ),
        ],
      ],
      [`sumRows ${title}`, () => [operations.sumRows(draw([samples, 3, 5], 1), parts)]],
      [
        `convolvePoolGradients ${title}`,
        () => {
          const [x, filter] = [draw([samples, 9, 8, 3], 1), draw([3, 3, 3, 9], 2)] as [Tensor4D, Tensor4D];
          const { output, index } = operations.convolvePool(
            { x, filter, bias: draw([9], 3) as Tensor1D },
            conv,
          );
          const inputs = { x, filter, index, dy: draw(output.shape, 4) as Tensor4D };
          return Object.values(operations.convolvePoolGradients(inputs, { ...conv, parts }));
        },
      ],
    ];
  });
}

function elementwise(): NamedCases {
  const shapes = [[3, 11, 9, 12], [5, 7], [130, 10], [1]];
  return shapes.flatMap((shape): NamedCases => {
    const title = shape.join(' x ');
    const inputs = (): [Tensor, Tensor] => [draw(shape, 1), draw(shape.slice(-1), 2)];
    return [
      [`addBias ${title}`, () => [operations.addBias(...inputs(), { relu: false })]],
      [`addBias, relu, ${title}`, () => [operations.addBias(...inputs(), { relu: true })]],
      [`reluGradient ${title}`, () => [operations.reluGradient(draw(shape, 3), draw(shape, 1))]],
      [`Sum ${title}`, () => run('Sum', { x: draw(shape, 1) }, { axis: leading(shape), keepDims: false })],
    ];
  });
}

function leading(shape: readonly number[]): number[] {
  return [...shape.keys()].slice(0, -1);
}

function losses(): NamedCases {
  const shapes = [
    [1, 1],
    [16, 10],
    [5, 37],
    [3, 1000],
  ];
  const crossEntropies = {
    softmaxCrossEntropy: operations.softmaxCrossEntropy,
    sigmoidCrossEntropy: operations.sigmoidCrossEntropy,
  };
  return Object.entries(crossEntropies).flatMap(([name, crossEntropy]) =>
    shapes.map((shape): NamedCases[number] => [
      `${name} ${shape.join(' x ')}`,
      () => {
        const logits = mul(draw(shape, 1), 30);
        const { loss, dLogits } = crossEntropy({ logits, targets: abs(draw(shape, 2)) });
        return [tensor(new Float32Array(Float64Array.of(loss).buffer)), dLogits];
      },
    ]),
  );
}
