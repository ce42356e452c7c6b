/** The virtual clock: what will happen, and when. Nothing else in a simulation knows the time. */
export interface Agenda {
  readonly nowMs: number;
  /** Of two things due at the same time the one that was planned first happens first. */
  at(atMs: number, act: () => void): void;
  after(delayMs: number, act: () => void): void;
  /** Goes on to the next thing and does it; false if there is none. */
  advance(): boolean;
}

interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly act: () => void;
}

/** Creates an empty agenda at time 0: a binary heap by time and order. */
export function createAgenda(): Agenda {
  const heap: Entry[] = [];
  let order = 0;

  const at = (atMs: number, act: () => void): void => {
    const entry = { atMs: Math.max(atMs, agenda.nowMs), order: order++, act };
    let place = heap.length;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!isBefore(entry, heap[parent]!)) break;
      heap[place] = heap[parent]!;
      place = parent;
    }
    heap[place] = entry;
  };

  // Not a getter: an object with one is a dictionary for V8, and each access to it a search.
  const agenda: Agenda & { nowMs: number } = {
    nowMs: 0,
    at,
    after: (delayMs, act) => at(agenda.nowMs + delayMs, act),
    advance() {
      const first = heap[0];
      const last = heap.pop();
      if (!first || !last) return false;
      if (heap.length > 0) sink(heap, last);
      agenda.nowMs = first.atMs;
      first.act();
      return true;
    },
  };
  return agenda;
}

function sink(heap: Entry[], entry: Entry): void {
  let place = 0;
  for (;;) {
    let child = 2 * place + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
    if (!isBefore(heap[child]!, entry)) break;
    heap[place] = heap[child]!;
    place = child;
  }
  heap[place] = entry;
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
