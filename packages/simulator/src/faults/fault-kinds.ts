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
  'catch-up': 'a worker lacks what codes have left out of a group, and computes the steps before again',
  drain: 'an operator drains a worker: it answers what it has, and goes',
  crash: 'the coordinator dies at once; it comes back from its disk',
  'power-cut': 'the same, and the disk loses what was not synced, or parts of it',
  suspend:
    'the coordinator stands still for a while; all messages wait, and the clock has jumped when it wakes',
  'disk-full': 'a snapshot is written in part, and the write fails',
  rot: 'one character of a snapshot changes on the disk',
  'lie-bit': 'a worker flips one bit in one sum',
  'lie-stale': 'a worker computes on the weights of before',
  'lie-shard': 'a worker computes on the samples of another shard',
  'lie-zeros': 'a worker sends zeros',
  'lie-scaled': 'a worker sends sums that are a little too large',
  'lie-absurd': 'a worker sends sums that are a thousand million times too large',
  'lie-nan': 'a worker sends NaN where others do not',
  'lie-second': 'a worker is wrong only when it is asked for a second answer',
  'lie-late': 'a worker is honest for a time, then wrong, then honest',
  'lie-leaf': 'a worker is wrong on one shard only',
  'lie-evaluation': 'a worker is wrong in evaluations only',
  'lie-pair': 'two workers tell the same lie',
} as const;

/** Ways to be wrong; they strike where workers are verified. */
export type LieKind = Extract<FaultKind, `lie-${string}`>;

export function isLie(kind: FaultKind): kind is LieKind {
  return kind.startsWith('lie-');
}

export type FaultKind = keyof typeof faultKinds;

/** How often each kind struck. */
export type FaultTally = Record<FaultKind, number>;

const noFault = Object.fromEntries(Object.keys(faultKinds).map((kind) => [kind, 0])) as FaultTally;

/** No fault so far. */
export function createTally(): FaultTally {
  return { ...noFault };
}
