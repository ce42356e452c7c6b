import type { NamedAttrMap, Tensor } from '@tensorflow/tfjs-core';
import { engine } from '#tfjs-core';

/**
 * Max-pooling that remembers for the backward pass which position held each maximum, instead of searching again (17 ms of
 * a gradient's 60). For a backend that offers `GradwireMaxPool`; attributes as of tfjs's `MaxPool`.
 */
export function maxPoolWithWinners(
  x: Tensor,
  attributes: NamedAttrMap,
): { output: Tensor; backward(dy: Tensor): Tensor } {
  const results = engine().runKernel('GradwireMaxPool', { x }, attributes);
  const [output, winners] = results as [Tensor, Tensor];
  return {
    output,
    backward: (dy) => engine().runKernel('GradwireMaxPoolGradient', { x, output, winners, dy }, attributes),
  };
}
