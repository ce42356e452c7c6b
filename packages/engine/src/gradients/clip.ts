/** The Euclidean norm over all parameters together, summed in float64; not finite if any element is not. */
export function globalNorm(gradient: Float32Array): number {
  let squares = 0;
  for (let i = 0; i < gradient.length; i++) squares += gradient[i]! * gradient[i]!;
  return Math.sqrt(squares);
}

/**
 * Scales the gradient, in place, so that its global norm is at most `maxNorm` (Pascanu et al. 2013, section 3.2).
 *
 * @param maxNorm Above 0; `Infinity` changes nothing.
 * @returns The norm before.
 */
export function clipByGlobalNorm(gradient: Float32Array, maxNorm: number): number {
  const norm = globalNorm(gradient);
  if (norm > maxNorm) {
    const scale = maxNorm / norm;
    for (let i = 0; i < gradient.length; i++) gradient[i]! *= scale;
  }
  return norm;
}
