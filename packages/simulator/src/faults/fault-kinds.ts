/** Every kind of fault that a simulation can have, and what it does. */
export const faultKinds = {
  kill: 'a worker dies; its connection breaks at once',
  pull: 'a worker is cut off for good, without a word: only silence tells',
  pause: 'a worker stands still for a while, and wakes in the middle of what it did',
  slow: 'a worker computes several times slower from now on',
  partition: 'nothing passes between a worker and the coordinator for a while',
  delay: 'the messages of one worker take much longer for a while',
  reorder: 'a message overtakes one that was sent earlier on another connection',
  duplicate: 'a sum arrives twice',
  zombie: 'a worker that was lost comes back and sends what it computed before',
  failure: 'a worker cannot compute a leaf, says so and leaves',
  nonsense: 'a worker breaks the protocol',
  join: 'one more worker comes',
  leave: 'a worker leaves in order',
  crash: 'the coordinator dies at once; it comes back from its disk',
  'power-cut': 'the same, and the disk loses what was not synced, or parts of it',
  'disk-full': 'a snapshot is written in part, and the write fails',
  rot: 'one character of a snapshot changes on the disk',
} as const;

export type FaultKind = keyof typeof faultKinds;

/** How often each kind struck. */
export type FaultTally = Record<FaultKind, number>;

/** No fault so far. */
export function createTally(): FaultTally {
  return Object.fromEntries(Object.keys(faultKinds).map((kind) => [kind, 0])) as FaultTally;
}
