import type { TensorInfo } from '@tensorflow/tfjs-core';
import { tensor1d } from '#tfjs-core';
import type { KernelCall, NativeKernel } from './execute.ts';
import { executePrivate } from './one-dnn.ts';
import { windowOf } from './window.ts';

/** `Conv2D`. What oneDNN's operation cannot do goes to tfjs's own kernel. */
export function createConv2d(own: NativeKernel): NativeKernel {
  return (call) => {
    const { x, filter } = call.inputs as Inputs<'x' | 'filter'>;
    return run(call, { name: 'Conv2D', inputs: [x, filter] }) ?? own(call);
  };
}

/** `Conv2DBackpropFilter`. */
export function createFilterGradient(own: NativeKernel): NativeKernel {
  return (call) => {
    const { x, dy } = call.inputs as Inputs<'x' | 'dy'>;
    const sizes = sizesOf(call, 'filterShape');
    const result = run(call, { name: 'Conv2DBackpropFilter', inputs: [x, sizes, dy] });
    sizes.dispose();
    return result ?? own(call);
  };
}

/** `Conv2DBackpropInput`. */
export function createInputGradient(own: NativeKernel): NativeKernel {
  return (call) => {
    const { dy, filter } = call.inputs as Inputs<'dy' | 'filter'>;
    const sizes = sizesOf(call, 'inputShape');
    const result = run(call, { name: 'Conv2DBackpropInput', inputs: [sizes, filter, dy] });
    sizes.dispose();
    return result ?? own(call);
  };
}

type Inputs<Name extends string> = Record<Name, TensorInfo>;

function sizesOf({ attrs }: KernelCall, name: string): ReturnType<typeof tensor1d> {
  return tensor1d(attrs[name] as number[], 'int32');
}

/** Undefined where the private operation does not apply. */
function run(
  { attrs, backend, inputs }: KernelCall,
  operation: { readonly name: string; readonly inputs: readonly TensorInfo[] },
): TensorInfo | undefined {
  const window = windowOf(attrs);
  const areFloats = Object.values(inputs).every((input) => input?.dtype === 'float32');
  return window && areFloats ? executePrivate(backend, { ...operation, attributes: window }) : undefined;
}
