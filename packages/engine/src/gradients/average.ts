import type { ParameterLayout } from '../layout.ts';

/** Turns a gradient sum into the mean over `samples`, in place. */
export function averageGradient(sum: Float32Array, samples: number): void {
  for (let i = 0; i < sum.length; i++) sum[i]! /= samples;
}

/** Adds the gradient of `l2 / 2 * |kernels|^2`, which is `l2 * kernels`, in place. Biases are not penalised. */
export function addL2Gradient(
  gradient: Float32Array,
  weights: Float32Array,
  { l2, layout }: { readonly l2: number; readonly layout: ParameterLayout },
): void {
  for (const { offset, size, role } of layout.parameters) {
    if (role !== 'kernel') continue;
    for (let i = offset; i < offset + size; i++) gradient[i]! += l2 * weights[i]!;
  }
}
