import { runsOf } from '../layout.ts';
import { plainVectors } from '../vectors/plain-vectors.ts';
import type { ParameterLayout } from '../layout.ts';
import type { VectorMath } from '../vectors/vector-math.ts';

/** How a gradient sum is turned into what the optimizer gets. */
export interface AverageOptions {
  readonly samples: number;
  readonly layout: ParameterLayout;
  /** Adds the gradient of `l2 / 2 * |kernels|^2`, which is `l2 * kernels`; biases are not penalised. Default 0. */
  readonly l2?: number | undefined;
  /** The gradient is scaled so that its global norm is at most this (Pascanu et al. 2013, section 3.2). Default: any. */
  readonly clipNorm?: number | undefined;
  /** Default: plain TypeScript. */
  readonly vectors?: VectorMath;
}

/**
 * Turns a gradient sum into the mean over `samples`, with L2 and clipping, in place.
 *
 * @returns The Euclidean norm over all parameters together, before clipping, L2 included. Not finite if an element is
 * not; then nothing is clipped.
 */
export function averageGradient(
  gradient: Float32Array,
  weights: Float32Array,
  { samples, layout, l2 = 0, clipNorm = Infinity, vectors = plainVectors }: AverageOptions,
): number {
  let squares = 0;
  for (const { role, start, end } of runsOf(layout)) {
    squares += vectors.average(gradient, weights, { start, end, samples, l2: role === 'kernel' ? l2 : 0 });
  }
  const norm = Math.sqrt(squares);
  if (Number.isFinite(norm) && norm > clipNorm) vectors.scale(gradient, clipNorm / norm);
  return norm;
}
