import type { TreeNode, VectorMath } from '@gradwire/engine';
import { plainVectors, treeMid, treeParent } from '@gradwire/engine/arithmetic';

/** How much memory the sums need. */
export interface SumsSize {
  /** Elements of a gradient. */
  readonly parameters: number;
  /** Most metrics of any leaf. */
  readonly metrics: number;
  /** Leaves of the largest round. */
  readonly leaves: number;
  readonly threads: number;
}

/** Memory that all compute threads of a process share; hand it to {@link openSharedSums} in each. */
export interface SumsMemory extends SumsSize {
  readonly slots: number;
  /** One gradient a slot. */
  readonly gradients: SharedArrayBuffer;
  /** Samples, milliseconds and metrics of each slot. */
  readonly facts: SharedArrayBuffer;
  /** Counter of freed slots, then for each slot whether it is taken, then for each node which half waits. */
  readonly control: SharedArrayBuffer;
}

/** A node of the canonical tree and the slot that holds its sum. */
export interface SummedSlot extends TreeNode {
  readonly slot: number;
}

/** Slots for sums, and their addition along the canonical tree by whichever thread completes a node. */
export interface SharedSums {
  /** A slot that nobody uses. Blocks until there is one: not for a main thread. */
  take(): number;
  free(slot: number): void;
  /** The slot's gradient; a view. */
  gradient(slot: number): Float32Array;
  /** `[samples, milliseconds, ...metrics]` of the slot; a view. */
  facts(slot: number): Float64Array;
  /**
   * Adds a leaf's sum into the tree over `leafCount` leaves. The thread that brings the second half of a node adds
   * both halves, left + right, and goes on upwards; of any two only one does. Returns the node for which `isLast` says
   * so, once it is complete; its slot is the caller's.
   */
  add(leaf: SummedSlot, leafCount: number, isLast: (node: TreeNode) => boolean): SummedSlot | undefined;
  /** Forgets every sum and frees all slots. What threads still add is worthless. */
  reset(): void;
}

/**
 * Allocates memory for the sums. A thread takes a slot, then the next leaf in order. So when every thread waits for a
 * slot, the leaves begun are the first ones, all complete, and at most one sum a level of the tree waits: with a slot
 * more than that some thread can always go on.
 */
export function createSumsMemory(size: SumsSize): SumsMemory {
  const levels = 32 - Math.clz32(size.leaves);
  const slots = Math.min(size.leaves, levels + 1 + size.threads);
  return {
    ...size,
    slots,
    gradients: new SharedArrayBuffer(4 * size.parameters * slots),
    facts: new SharedArrayBuffer(8 * (2 + size.metrics) * slots),
    control: new SharedArrayBuffer(4 * (1 + slots + size.leaves)),
  };
}

/** @param vectors - adds gradients; not needed by who only reads sums. */
export function openSharedSums(
  memory: SumsMemory,
  vectors: Pick<VectorMath, 'add'> = plainVectors,
): SharedSums {
  const { slots, parameters, metrics } = memory;
  const control = new Int32Array(memory.control);
  const taken = control.subarray(1, 1 + slots);
  // An inner node is known by where it divides. 0: none of its halves waits; else the slot of the one that does, plus 1.
  const waiting = control.subarray(1 + slots);
  const factCount = 2 + metrics;

  const gradient = (slot: number): Float32Array =>
    new Float32Array(memory.gradients, 4 * slot * parameters, parameters);
  const facts = (slot: number): Float64Array =>
    new Float64Array(memory.facts, 8 * slot * factCount, factCount);
  const free = (slot: number): void => {
    Atomics.store(taken, slot, 0);
    Atomics.add(control, 0, 1);
    Atomics.notify(control, 0);
  };

  return {
    gradient,
    facts,
    free,
    take() {
      for (;;) {
        const freed = Atomics.load(control, 0);
        for (let slot = 0; slot < slots; slot += 1) {
          if (Atomics.compareExchange(taken, slot, 0, 1) === 0) return slot;
        }
        Atomics.wait(control, 0, freed);
      }
    },
    add(leaf, leafCount, isLast) {
      let node = leaf;
      while (!isLast(node)) {
        const parent = treeParent(node, leafCount);
        if (parent === undefined) throw new RangeError(`add: no last node holds leaf ${leaf.lo}`);
        const mid = treeMid(parent.lo, parent.hi);
        const other = Atomics.exchange(waiting, mid, node.slot + 1) - 1;
        if (other < 0) return undefined;
        Atomics.store(waiting, mid, 0);
        const [left, right] = node.lo < mid ? [node.slot, other] : [other, node.slot];
        vectors.add(gradient(left), gradient(right));
        addFacts(facts(left), facts(right));
        free(right);
        node = { ...parent, slot: left };
      }
      return node;
    },
    reset() {
      control.fill(0);
      Atomics.notify(control, 0);
    },
  };
}

function addFacts(target: Float64Array, other: Float64Array): void {
  for (let i = 0; i < target.length; i += 1) target[i]! += other[i]!;
}
