import { treeMid, treeParent } from './tree.ts';
import type { TreeNode } from './tree.ts';

/** A node and the sum over its leaves. */
export interface SummedNode<Value> extends TreeNode {
  readonly value: Value;
}

/** A sum along the canonical tree that grows as its parts arrive, in any order. */
export interface TreeSum<Value> {
  /**
   * Adds the sum over `node` and combines upwards as far as the other halves are known.
   *
   * @returns The largest node known so far that holds `node`.
   * @throws RangeError if `node` is not in the tree or one of its leaves was added before.
   */
  add(node: TreeNode, value: Value): SummedNode<Value>;
  /** The whole sum, once every present leaf has been added. */
  root(): Value | undefined;
}

/** How a tree sum differs from plain addition over all leaves. */
export interface TreeSumOptions<Value> {
  /** Leaves for which this is false have no value: absent + x = x. Default: all are present. */
  readonly isPresent?: (leaf: number) => boolean;
  /** Turns the value of a node, once it is known, into the one that is used. Default: it stays as it is. */
  readonly settle?: (node: SummedNode<Value>) => Value;
}

/**
 * Creates an empty sum over `leafCount` leaves.
 *
 * @param combine Adds the right value to the left one. It may reuse either: the sum owns what it was given.
 * @example
 * const sum = createTreeSum<string>(3, (left, right) => `(${left} + ${right})`);
 * sum.add({ lo: 2, hi: 3 }, 'c');
 * sum.add({ lo: 0, hi: 1 }, 'a');
 * sum.add({ lo: 1, hi: 2 }, 'b');
 * sum.root(); // '((a + b) + c)'
 */
export function createTreeSum<Value>(
  leafCount: number,
  combine: (left: Value, right: Value) => Value,
  { isPresent = () => true, settle = ({ value }) => value }: TreeSumOptions<Value> = {},
): TreeSum<Value> {
  /** Sums that wait for their other half, and at last the root. */
  const waiting = new Map<number, Value>();
  const added = new Uint8Array(leafCount);

  const keyOf = ({ lo, hi }: TreeNode): number => lo * (leafCount + 1) + hi;

  function isAbsent({ lo, hi }: TreeNode): boolean {
    for (let leaf = lo; leaf < hi; leaf++) if (isPresent(leaf)) return false;
    return true;
  }

  /** The sum over `parent`, if the other half of it is known or absent. */
  function merge(node: SummedNode<Value>, parent: TreeNode): SummedNode<Value> | undefined {
    const other = siblingOf(node, parent);
    const { lo, hi } = parent;
    if (isAbsent(other)) return { lo, hi, value: node.value };
    const otherValue = waiting.get(keyOf(other));
    if (otherValue === undefined) return undefined;
    waiting.delete(keyOf(other));
    const value = node.lo < other.lo ? combine(node.value, otherValue) : combine(otherValue, node.value);
    return { lo, hi, value };
  }

  function settled(node: SummedNode<Value>): SummedNode<Value> {
    return { lo: node.lo, hi: node.hi, value: settle(node) };
  }

  return {
    add(node, value) {
      let largest = settled({ lo: node.lo, hi: node.hi, value });
      let parent = treeParent(largest, leafCount);
      markAdded(added, node);
      while (parent) {
        const merged = merge(largest, parent);
        if (!merged) break;
        largest = settled(merged);
        parent = treeParent(largest, leafCount);
      }
      waiting.set(keyOf(largest), largest.value);
      return largest;
    },
    root: () => waiting.get(keyOf({ lo: 0, hi: leafCount })),
  };
}

function siblingOf(node: TreeNode, parent: TreeNode): TreeNode {
  const mid = treeMid(parent.lo, parent.hi);
  return node.lo < mid ? { lo: mid, hi: parent.hi } : { lo: parent.lo, hi: mid };
}

function markAdded(added: Uint8Array, { lo, hi }: TreeNode): void {
  for (let leaf = lo; leaf < hi; leaf++)
    if (added[leaf]) throw new RangeError(`leaf ${leaf} was added before`);
  added.fill(1, lo, hi);
}
