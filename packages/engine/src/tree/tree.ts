/**
 * The canonical tree over the leaves 0 .. leafCount - 1:
 *
 *     tree(lo, hi) = leaf lo                              if hi - lo = 1
 *                  = tree(lo, mid) + tree(mid, hi)        mid = lo + the largest power of two below (hi - lo)
 *
 * It fixes the order of every addition, so a sum has the same bits whoever computed its parts.
 */

/** The leaves from `lo` up to, not including, `hi`. */
export interface TreeNode {
  readonly lo: number;
  readonly hi: number;
}

/** Where a node with at least two leaves divides: its children are [lo, mid) and [mid, hi). */
export function treeMid(lo: number, hi: number): number {
  return lo + (1 << (31 - Math.clz32(hi - lo - 1)));
}

/** Whether [lo, hi) is a node of the canonical tree over `leafCount` leaves. Any numbers are allowed. */
export function isTreeNode(lo: number, hi: number, leafCount: number): boolean {
  return find(lo, hi, leafCount) !== undefined;
}

/** The node of which [lo, hi) is a child; none for the root. A `RangeError` if [lo, hi) is not a node. */
export function treeParent({ lo, hi }: TreeNode, leafCount: number): TreeNode | undefined {
  const found = find(lo, hi, leafCount);
  if (!found) throw new RangeError(`[${lo}, ${hi}) is not a node of the tree over ${leafCount} leaves`);
  return found.parent;
}

/**
 * The fewest nodes that together hold exactly `leaves`, from left to right.
 *
 * @param groupSize No node may be larger than a group of this many leaves: see {@link isGroupNode}. Default: any size.
 * @param leaves Ascending, each at least 0 and below `leafCount`; else a `RangeError`.
 * @example
 * treeCover([3, 4, 5, 6, 7], 8); // [{ lo: 3, hi: 4 }, { lo: 4, hi: 8 }]
 */
export function treeCover(
  leaves: readonly number[],
  leafCount: number,
  groupSize: number = leafCount,
): TreeNode[] {
  let previous = -1;
  for (const leaf of leaves) {
    if (!Number.isInteger(leaf) || leaf <= previous || leaf >= leafCount) {
      throw new RangeError(
        `leaves must ascend within 0 .. ${leafCount - 1}: found ${leaf} after ${previous}`,
      );
    }
    previous = leaf;
  }
  return cover({ lo: 0, hi: leafCount }, leaves, groupSize);
}

/**
 * Whether [lo, hi) is a group: the leaves from one multiple of `groupSize`, a power of two, to the next or to the last
 * leaf. Every group is a node of the tree, and every other node lies within one group or holds several.
 */
export function isGroupNode({ lo, hi }: TreeNode, leafCount: number, groupSize: number): boolean {
  return lo % groupSize === 0 && hi === Math.min(lo + groupSize, leafCount);
}

function cover(node: TreeNode, leaves: readonly number[], groupSize: number): TreeNode[] {
  if (leaves.length === 0) return [];
  const size = node.hi - node.lo;
  if (leaves.length === size && size <= groupSize) return [node];
  const mid = treeMid(node.lo, node.hi);
  const left = leaves.filter((leaf) => leaf < mid);
  return [
    ...cover({ lo: node.lo, hi: mid }, left, groupSize),
    ...cover({ lo: mid, hi: node.hi }, leaves.slice(left.length), groupSize),
  ];
}

/** Walks from the root towards [lo, hi); nothing if that is not a node. */
function find(lo: number, hi: number, leafCount: number): { parent: TreeNode | undefined } | undefined {
  // Negated, so that NaN fails too.
  if (!(0 <= lo && lo < hi && hi <= leafCount)) return undefined;
  let from = 0;
  let to = leafCount;
  let parentFrom = 0;
  let parentTo = 0;
  while (from !== lo || to !== hi) {
    if (to - from === 1) return undefined;
    const mid = treeMid(from, to);
    parentFrom = from;
    parentTo = to;
    if (hi <= mid) to = mid;
    else if (lo >= mid) from = mid;
    else return undefined;
  }
  return { parent: parentTo === 0 ? undefined : { lo: parentFrom, hi: parentTo } };
}
