import type { WorkerId } from '../events.ts';

/** A new division must finish this much sooner to be worth moving shards (and their data) about. */
const hysteresis = 1.1;

/** A worker that can take leaves. */
export interface Candidate {
  readonly worker: WorkerId;
  /** Relative to the others; above 0. */
  readonly speed: number;
  /** Leaves that it has still to compute. */
  readonly load: number;
}

/** How many leaves each candidate gets, in the order of the candidates; the leaves go out in contiguous runs. */
export type Division = ReadonlyMap<WorkerId, number>;

/** Divides leaves in proportion to speed, and stays with a division as long as it is good enough. */
export interface LeafSharing {
  /** Divides leaves, or units of them, into one contiguous run per worker; workers that get none are left out. */
  share<Unit>(units: readonly Unit[], candidates: readonly Candidate[]): Map<WorkerId, readonly Unit[]>;
}

/** Creates a sharing that remembers the last division for each number of leaves. */
export function createLeafSharing(): LeafSharing {
  const divisions = new Map<number, Division>();
  return {
    share(units, candidates) {
      const best = divideLeaves(units.length, candidates);
      const last = divisions.get(units.length);
      const chosen = last && isGoodEnough(last, best, candidates) ? last : best;
      divisions.set(units.length, chosen);
      return cutRuns(units, chosen);
    },
  };
}

/** The division with the earliest finish: each leaf goes to whoever would be done with it first. */
export function divideLeaves(leafCount: number, candidates: readonly Candidate[]): Division {
  const inOrder = candidates.map(({ worker, speed, load }, place) => {
    return { worker, speed, load, place, count: 0, finish: (load + 1) / speed };
  });
  const heap = [...inOrder];
  for (let place = (heap.length >> 1) - 1; place >= 0; place--) sink(heap, place);
  for (let leaf = 0; leaf < leafCount && heap.length > 0; leaf++) {
    const first = heap[0]!;
    first.count++;
    first.finish = (first.load + first.count + 1) / first.speed;
    sink(heap, 0);
  }
  return new Map(inOrder.map(({ worker, count }) => [worker, count]));
}

interface Queued extends Candidate {
  readonly place: number;
  count: number;
  /** When it would be done with one leaf more. */
  finish: number;
}

/** On a tie the earlier candidate wins, so that equal workers keep their places. */
function isBefore(a: Queued, b: Queued): boolean {
  return a.finish < b.finish || (a.finish === b.finish && a.place < b.place);
}

/** Moves one down a heap, until nobody below it is before it. */
function sink(heap: Queued[], from: number): void {
  const moved = heap[from]!;
  let place = from;
  for (;;) {
    let child = 2 * place + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
    if (!isBefore(heap[child]!, moved)) break;
    heap[place] = heap[child]!;
    place = child;
  }
  heap[place] = moved;
}

function isGoodEnough(last: Division, best: Division, candidates: readonly Candidate[]): boolean {
  const present = new Set(candidates.map(({ worker }) => worker));
  const isComplete = [...last].every(([worker, count]) => count === 0 || present.has(worker));
  return isComplete && finishTime(last, candidates) <= hysteresis * finishTime(best, candidates);
}

/** When the last of those that got leaves is done. */
function finishTime(division: Division, candidates: readonly Candidate[]): number {
  let latest = 0;
  for (const { worker, speed, load } of candidates) {
    const count = division.get(worker) ?? 0;
    if (count > 0) latest = Math.max(latest, (load + count) / speed);
  }
  return latest;
}

function cutRuns<Unit>(units: readonly Unit[], division: Division): Map<WorkerId, readonly Unit[]> {
  const runs = new Map<WorkerId, readonly Unit[]>();
  let start = 0;
  for (const [worker, count] of division) {
    if (count > 0) runs.set(worker, units.slice(start, start + count));
    start += count;
  }
  return runs;
}
