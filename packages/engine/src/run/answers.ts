import type { PartialSum, WorkerId } from '../events.ts';
import type { TreeNode } from '../tree/tree.ts';
import type { VectorMath } from '../vectors/vector-math.ts';
import type { Worker } from './state.ts';

/** What a worker computed for a node, as far as it is compared. */
export interface Answer {
  readonly worker: WorkerId;
  readonly numericsClass: string;
  /** Checksum of the gradient. */
  readonly sum: string;
  /** Norm of the gradient, per sample. */
  readonly magnitude: number;
  /**
   * Equal for equal bits of gradient and metrics. All answers that are not finite count as equal: the bits of a NaN differ
   * between processors.
   */
  readonly digest: string;
}

/** The digest of every answer with a NaN or an infinity in it. */
export const nonFiniteDigest = 'non-finite';

/** Takes down what there is to compare. */
export function answerOf(
  worker: Worker,
  { gradient, metrics, samples }: PartialSum,
  vectors: VectorMath,
): Answer {
  // A float64 sum of squares of float32 numbers is finite if they are.
  const { checksum: sum, squares } = vectors.examine(gradient);
  const isFinite = Number.isFinite(squares) && metrics.every(Number.isFinite);
  const words = new Float32Array(metrics.buffer, metrics.byteOffset, 2 * metrics.length);
  const digest = isFinite ? `${sum}-${vectors.checksum(words)}` : nonFiniteDigest;
  const magnitude = Math.sqrt(squares) / samples;
  return { worker: worker.id, numericsClass: worker.numericsClass ?? '', sum, magnitude, digest };
}

/** Names a node in a map. */
export function keyOf({ lo, hi }: TreeNode): string {
  return `${lo}-${hi}`;
}
