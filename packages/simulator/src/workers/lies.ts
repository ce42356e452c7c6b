import type { PartialSum } from '@gradwire/engine';
import type { LieKind } from '../faults/fault-kinds.ts';
import type { Work } from '../scenario/work.ts';

/** What a worker knows when it lies. */
export interface Temptation {
  readonly honest: PartialSum;
  /** Whether it has answered a lease of this round before: then somebody else may be asked for this node too. */
  readonly isSecond: boolean;
  /** It has told no lie yet. */
  readonly isFirst: boolean;
  /** The same sum on the weights that it had before, or with other work. */
  again(change: { readonly isStale?: boolean; readonly work?: (work: Work) => Work }): PartialSum;
}

/** What it says instead; what equals the honest sum is no lie. */
export const lies: Readonly<Record<LieKind, (temptation: Temptation) => PartialSum>> = {
  'lie-bit': ({ honest, isFirst }) => (isFirst ? flipBit(honest) : honest),
  'lie-stale': ({ again }) => again({ isStale: true }),
  'lie-shard': ({ again }) =>
    again({
      work: (work) => (weights, round, place) => work(weights, round, { ...place, leaf: place.leaf + 1 }),
    }),
  'lie-zeros': ({ honest }) => ({ ...honest, gradient: new Float32Array(honest.gradient.length) }),
  'lie-scaled': ({ honest }) => ({ ...honest, gradient: honest.gradient.map((value) => value * 1.001) }),
  'lie-absurd': ({ honest }) => ({ ...honest, gradient: honest.gradient.map((value) => value * 1e9) }),
  'lie-nan': ({ honest }) => ({ ...honest, gradient: honest.gradient.map(() => Number.NaN) }),
  'lie-second': ({ honest, isSecond }) => (isSecond ? flipBit(honest) : honest),
  'lie-late': ({ honest }) => (honest.round % 3 === 2 ? flipBit(honest) : honest),
  'lie-leaf': ({ honest }) => (honest.lo === 0 ? flipBit(honest) : honest),
  'lie-evaluation': ({ honest }) => ({ ...honest, metrics: honest.metrics.with(0, honest.metrics[0]! / 2) }),
  'lie-pair': ({ honest }) => ({ ...honest, gradient: honest.gradient.map((value) => value + 1) }),
};

function flipBit(honest: PartialSum): PartialSum {
  const gradient = honest.gradient.slice();
  const words = new Uint32Array(gradient.buffer);
  words[words.length - 1]! ^= 1;
  return { ...honest, gradient };
}

/** Whether two sums have the same bits. */
export function isEqual(a: PartialSum, b: PartialSum): boolean {
  return hasEqualBits(a.gradient, b.gradient) && hasEqualBits(a.metrics, b.metrics);
}

type Vector = Float32Array | Float64Array;

function hasEqualBits(a: Vector, b: Vector): boolean {
  return a.length === b.length && a.every((value, i) => Object.is(value, b[i]));
}
