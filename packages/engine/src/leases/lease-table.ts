import type { WorkerId } from '../events.ts';
import type { TreeNode } from '../tree/tree.ts';

/** One leaf of the current round that still has to be computed. */
export interface OutstandingLeaf {
  readonly leaf: number;
  /** Nobody, if no worker is there to take it. */
  readonly owner: WorkerId | undefined;
  /** When the owner got it, or when it lost its last one. */
  readonly sinceMs: number;
}

/** How a worker stands to a set of leaves: it may answer for them, it once might have, or it never had them. */
export type Claim = 'owned' | 'outdated' | 'foreign';

interface Lease {
  readonly leaf: number;
  readonly samples: number;
  state: 'unowned' | 'owned' | 'done';
  owner: WorkerId | undefined;
  sinceMs: number;
  /** Everyone who has held it in this round: an answer from one of them is late, not wrong. */
  readonly holders: Set<WorkerId>;
}

/** Who computes which leaf of one round. */
export interface LeaseTable {
  grant(leaves: readonly number[], worker: WorkerId, atMs: number): void;
  /** Takes away what the worker has not finished. */
  release(worker: WorkerId, atMs: number): void;
  /** Marks the leaves below `node` as computed. */
  finish(node: TreeNode): void;
  /** Ascending. */
  unowned(): number[];
  /** How many leaves the worker has still to compute. */
  load(worker: WorkerId): number;
  /** Whether the worker has a lease, finished or not. */
  holdsAny(worker: WorkerId): boolean;
  /** `foreign` also if there is nothing to compute below `node`. */
  claim(worker: WorkerId, node: TreeNode): Claim;
  /** The samples below `node`. */
  samples(node: TreeNode): number;
  /** The leaves to compute below `node`, finished or not. */
  leaves(node: TreeNode): number[];
  outstanding(): OutstandingLeaf[];
}

/**
 * Creates the table of one round. A leaf without samples does not exist in it.
 *
 *     state      grant    release by owner    finish
 *     unowned    owned    -                   -
 *     owned      -        unowned             done
 *     done       -        -                   -
 */
export function createLeaseTable(samples: readonly number[], atMs: number): LeaseTable {
  const leases: Lease[] = samples
    .map((count, leaf) => createLease(leaf, count, atMs))
    .filter((lease) => lease.samples > 0);
  const byLeaf = new Map(leases.map((lease) => [lease.leaf, lease]));
  const below = ({ lo, hi }: TreeNode): Lease[] => leases.filter(({ leaf }) => leaf >= lo && leaf < hi);
  const heldBy = (worker: WorkerId): Lease[] =>
    leases.filter(({ state, owner }) => state === 'owned' && owner === worker);

  return {
    grant(leaves, worker, sinceMs) {
      for (const leaf of leaves) {
        const lease = byLeaf.get(leaf);
        if (lease?.state !== 'unowned') throw new RangeError(`leaf ${leaf} is ${lease?.state ?? 'absent'}`);
        lease.state = 'owned';
        lease.owner = worker;
        lease.sinceMs = sinceMs;
        lease.holders.add(worker);
      }
    },
    release(worker, sinceMs) {
      for (const lease of heldBy(worker)) {
        lease.state = 'unowned';
        lease.owner = undefined;
        lease.sinceMs = sinceMs;
      }
    },
    finish(node) {
      for (const lease of below(node)) lease.state = 'done';
    },
    unowned: () => leases.filter(({ state }) => state === 'unowned').map(({ leaf }) => leaf),
    load: (worker) => heldBy(worker).length,
    holdsAny: (worker) => leases.some(({ owner }) => owner === worker),
    claim(worker, node) {
      const asked = below(node);
      if (asked.length === 0 || !asked.every(({ holders }) => holders.has(worker))) return 'foreign';
      return asked.every(({ state, owner }) => state === 'owned' && owner === worker) ? 'owned' : 'outdated';
    },
    samples: (node) => below(node).reduce((sum, lease) => sum + lease.samples, 0),
    leaves: (node) => below(node).map(({ leaf }) => leaf),
    outstanding: () => leases.filter(({ state }) => state !== 'done').map(toOutstanding),
  };
}

function createLease(leaf: number, samples: number, sinceMs: number): Lease {
  return { leaf, samples, state: 'unowned', owner: undefined, sinceMs, holders: new Set() };
}

function toOutstanding({ leaf, owner, sinceMs }: Lease): OutstandingLeaf {
  return { leaf, owner, sinceMs };
}
