import { type ParameterLayout, statisticParameters } from '../layout.ts';
import type { Sums } from '../tree/sums.ts';

/**
 * Takes the statistics (moving means and variances of batch normalisation) out of a gradient sum, where each shard put
 * its samples times its statistic. Zeros stay behind, so that norm, clipping and optimizer see none of them.
 *
 * @returns Moves the statistics of a weight vector, in place: `w = momentum * w + (1 - momentum) * sum / samples`, in
 * double precision, rounded once.
 */
export function takeStatistics(
  { gradient, samples }: Pick<Sums, 'gradient' | 'samples'>,
  layout: ParameterLayout,
): (weights: Float32Array) => void {
  const taken = statisticParameters(layout).map(({ offset, size, momentum = 0 }) => {
    const sums = gradient.slice(offset, offset + size);
    gradient.fill(0, offset, offset + size);
    return { offset, sums, momentum };
  });
  return (weights) => {
    for (const { offset, sums, momentum } of taken) {
      for (const [i, sum] of sums.entries()) {
        weights[offset + i] = momentum * weights[offset + i]! + ((1 - momentum) * sum) / samples;
      }
    }
  };
}
