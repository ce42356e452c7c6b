/** What must hold after every event. */
export const promises = {
  'no exception': 'neither the engine nor a worker throws',
  'counted once': 'each lease of a round is counted exactly once, with its samples',
  'reference bits': 'weights, sums and evaluations have the bits of the definition',
  'in order': 'steps, epochs and evaluations come one after the other, none twice, none missing',
  'owned leases': 'every lease has an owner who is there, as long as anybody is',
  'valid leases': 'leases go to workers that are ready, for leaves that are not done',
  'needed leases': 'what somebody computes in time is leased to another worker only to be checked',
  'drained leave': 'a worker that is drained gets nothing more, and is let go as soon as it owes nothing',
  'own delay': 'nobody is late because the coordinator itself did not run',
  'honest stay': 'nobody is put out who kept to the protocol',
  'lies found': 'a lie that was compared with the truth is not used, and whoever told it is put out',
  'convicted out':
    'what whoever was wrong has said in the same round is not used, unless others say the same',
  'lies undone': 'what whoever is put out has contributed, and nobody verified, is listed and undone',
  durable: 'a snapshot that was said to be safe is found again',
  journal: 'each step and evaluation is in the journal once, in order',
  progress: 'while a healthy worker is there, the run goes on',
  finish: 'once faults have stopped, the run finishes within its bound',
  'bounded memory': 'the engine knows no more workers and leases than there are',
} as const;

export type PromiseName = keyof typeof promises;

/** A promise that did not hold. */
export class BrokenPromise extends Error {
  readonly promise: PromiseName;

  constructor(promise: PromiseName, message: string, options?: ErrorOptions) {
    super(`${promise}: ${message}`, options);
    this.name = 'BrokenPromise';
    this.promise = promise;
  }
}

/** Throws a {@link BrokenPromise} unless `holds`. */
export function must(promise: PromiseName, holds: boolean, message: () => string): void {
  if (!holds) throw new BrokenPromise(promise, message());
}
