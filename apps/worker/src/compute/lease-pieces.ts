import type { TreeNode } from '@gradwire/engine';
import { type ModelSpec, resolveLayers } from '@gradwire/models';
import type { Recipe } from '@gradwire/recipes';

/** Samples of a pass: with more it hardly gets faster. */
const passSamples = 64;
/** What the layers of a pass may give: memory is needed for all of it until the gradients are there. */
const passBytes = 64 * 2 ** 20;

/** How many leaves are best computed in one pass of a trainer that takes several; may be a fraction. */
export function leavesOfPass({ model, batchSize, shards }: PassRecipe): number {
  return (samplesOfPass(model) * shards) / batchSize;
}

/** The parts of a recipe that tell how large a pass is. */
type PassRecipe = Pick<Recipe, 'model' | 'batchSize' | 'shards'>;

/** How many samples are best computed in one pass. */
export function samplesOfPass(model: ModelSpec): number {
  const sizes = resolveLayers(model).map(({ outputShape }) =>
    outputShape.reduce((size, side) => size * side, 1),
  );
  const sampleBytes = 4 * sizes.reduce((sum, size) => sum + size, 0);
  return Math.max(1, Math.min(passSamples, Math.floor(passBytes / sampleBytes)));
}

/**
 * How pieces follow each other. `even`: each thread gets as many leaves as the others, in as few passes as possible.
 * `tapered`: smaller pieces towards the end, so that threads of unequal speed end together.
 */
export type Cut = 'even' | 'tapered';

/** How a lease is divided. */
export interface PiecesOptions {
  readonly threads: number;
  /** That a pass may hold; one is always allowed. */
  readonly mostLeaves: number;
  readonly cut: Cut;
}

/** Cuts nodes into those that are computed in one pass each, in order. */
export function cutPieces(nodes: readonly TreeNode[], options: PiecesOptions): readonly TreeNode[] {
  const { threads, mostLeaves, cut } = options;
  let left = nodes.reduce((sum, { lo, hi }) => sum + hi - lo, 0);
  let share = left / threads;
  const pieces: TreeNode[] = [];
  for (const { lo, hi } of nodes) {
    for (let from = lo; from < hi; ) {
      if (cut === 'tapered' && threads > 1) share = left / (threads + 1);
      else if (pieces.length % threads === 0) share = left / threads;
      const size = largestBlock(from, Math.min(mostLeaves, hi - from, share));
      pieces.push({ lo: from, hi: from + size });
      from += size;
      left -= size;
    }
  }
  return pieces;
}

/** Leaves of the largest node of at most `limit` leaves, a power of two, that begins with a leaf. */
function largestBlock(leaf: number, limit: number): number {
  let size = 1;
  while (2 * size <= limit && leaf % (2 * size) === 0) size *= 2;
  return size;
}
