import type { WorkerId } from '../events.ts';
import type { TreeNode } from '../tree/tree.ts';

/** How a worker stands to a set of leaves: it may answer for them, it once might have, or it never had them. */
export type Claim = 'owned' | 'outdated' | 'foreign';

/** One leaf of the current round. */
export interface Lease {
  readonly leaf: number;
  readonly samples: number;
  state: 'unowned' | 'owned' | 'checking' | 'done';
  owner: WorkerId | undefined;
  /** When the owner got it, or when it lost its last one. */
  sinceMs: number;
  /** The owner and those who compute it besides: whoever answers first is used. */
  readonly current: Set<WorkerId>;
  /** Everyone who has held it in this round: an answer from one of them is late, not wrong. */
  readonly holders: Set<WorkerId>;
}

/** Who computes which leaf of one round. */
export interface LeaseTable {
  grant(leaves: readonly number[], worker: WorkerId, atMs: number): void;
  /** Leases what has, or had, an owner to another worker too. */
  lend(leaves: readonly number[], worker: WorkerId): void;
  /** Takes away what the worker has not finished. */
  release(worker: WorkerId, atMs: number): void;
  /** Marks the leaves below `node` as computed. */
  finish(node: TreeNode): void;
  /** Marks the leaves below `node` as answered, but not yet accepted. */
  check(node: TreeNode): void;
  /** Marks them as waiting for an owner again. */
  reopen(node: TreeNode, atMs: number): void;
  /** Ascending. */
  unowned(): number[];
  /** Whether the worker has a lease, finished or not. */
  holdsAny(worker: WorkerId): boolean;
  /** `foreign` also if there is nothing to compute below `node`. */
  claim(worker: WorkerId, node: TreeNode): Claim;
  /** The samples below `node`. */
  samples(node: TreeNode): number;
  /** The leaves to compute below `node`, finished or not. */
  leaves(node: TreeNode): number[];
  lease(leaf: number): Lease | undefined;
  /** What is not done, ascending. */
  outstanding(): Lease[];
}

/**
 * Creates the table of one round. A leaf without samples does not exist in it.
 *
 *     state       grant    lend        release by the owner                release by another    check       finish    reopen
 *     unowned     owned    -           -                                   -                     -           -         -
 *     owned       -        one more    owned by one of them, or unowned    owned, by one less    checking    done      -
 *     checking    -        one more    -                                   -                     -           done      unowned
 *     done        -        one more    -                                   -                     -           done      -
 */
export function createLeaseTable(samples: readonly number[], atMs: number): LeaseTable {
  const leases = samples.map((count, leaf) => (count > 0 ? createLease(leaf, count, atMs) : undefined));
  const present = leases.filter((lease) => lease !== undefined);
  /** How many leases each worker is in the `current` of: asked of every worker, so it must not be a search. */
  const held = new Map<WorkerId, number>();
  const below = ({ lo, hi }: TreeNode): Lease[] =>
    leases.slice(lo, hi).filter((lease) => lease !== undefined);
  const find = (leaf: number, state: Lease['state']): Lease => {
    const lease = leases[leaf];
    if (lease?.state !== state) throw new RangeError(`leaf ${leaf} is ${lease?.state ?? 'absent'}`);
    return lease;
  };

  return {
    grant(leaves, worker, sinceMs) {
      for (const leaf of leaves) {
        const lease = find(leaf, 'unowned');
        lease.state = 'owned';
        lease.owner = worker;
        lease.sinceMs = sinceMs;
        hold(lease, worker, held);
      }
    },
    lend(leaves, worker) {
      for (const leaf of leaves) {
        const lease = leases[leaf];
        if (!lease || lease.state === 'unowned') throw new RangeError(`leaf ${leaf} has no owner`);
        hold(lease, worker, held);
      }
    },
    release(worker, sinceMs) {
      for (const lease of present) {
        if (lease.state !== 'owned' || !letGo(lease, worker, held) || lease.owner !== worker) continue;
        const [next] = lease.current;
        Object.assign(lease, { state: next === undefined ? 'unowned' : 'owned', owner: next, sinceMs });
      }
    },
    check(node) {
      for (const lease of below(node)) lease.state = 'checking';
    },
    reopen(node, sinceMs) {
      for (const lease of below(node)) {
        Object.assign(lease, { state: 'unowned', owner: undefined, sinceMs });
        for (const worker of lease.current) letGo(lease, worker, held);
      }
    },
    finish(node) {
      for (let leaf = node.lo; leaf < node.hi; leaf++) {
        const lease = leases[leaf];
        if (lease) lease.state = 'done';
      }
    },
    unowned: () => present.filter(({ state }) => state === 'unowned').map(({ leaf }) => leaf),
    holdsAny: (worker) => (held.get(worker) ?? 0) > 0,
    claim: (worker, node) => claimOn(leases, worker, node),
    samples({ lo, hi }) {
      let sum = 0;
      for (let leaf = lo; leaf < hi; leaf++) sum += leases[leaf]?.samples ?? 0;
      return sum;
    },
    leaves: (node) => below(node).map(({ leaf }) => leaf),
    lease: (leaf) => leases[leaf],
    outstanding: () => present.filter(({ state }) => state !== 'done'),
  };
}

function hold({ current, holders }: Lease, worker: WorkerId, held: Map<WorkerId, number>): void {
  if (!current.has(worker)) held.set(worker, (held.get(worker) ?? 0) + 1);
  current.add(worker);
  holders.add(worker);
}

function letGo({ current }: Lease, worker: WorkerId, held: Map<WorkerId, number>): boolean {
  if (!current.delete(worker)) return false;
  held.set(worker, (held.get(worker) ?? 0) - 1);
  return true;
}

function createLease(leaf: number, samples: number, sinceMs: number): Lease {
  return {
    leaf,
    samples,
    state: 'unowned',
    owner: undefined,
    sinceMs,
    current: new Set(),
    holders: new Set(),
  };
}

function claimOn(leases: readonly (Lease | undefined)[], worker: WorkerId, { lo, hi }: TreeNode): Claim {
  let found = 0;
  let owned = 0;
  for (let leaf = lo; leaf < hi; leaf++) {
    const lease = leases[leaf];
    if (!lease) continue;
    if (!lease.holders.has(worker)) return 'foreign';
    found++;
    if (lease.state === 'owned' && lease.current.has(worker)) owned++;
  }
  if (found === 0) return 'foreign';
  return owned === found ? 'owned' : 'outdated';
}
