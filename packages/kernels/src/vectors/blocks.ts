import type { Span } from '@gradwire/engine';
import { type PlacedVector, blockElements } from './module.ts';

/** Visits a span block by block, from its start. */
export function forEachBlock({ start, end }: Span, visit: (block: Span, count: number) => void): void {
  for (let at = start; at < end; at += blockElements) {
    const blockEnd = Math.min(at + blockElements, end);
    visit({ start: at, end: blockEnd }, blockEnd - at);
  }
}

/** Copies a span, at most a block long, into the module's memory. */
export function copyIn(block: PlacedVector, values: Float32Array, { start, end }: Span): void {
  block.values.set(values.subarray(start, end));
}

/** Copies it back. */
export function copyOut(block: PlacedVector, values: Float32Array, { start, end }: Span): void {
  values.set(block.values.subarray(0, end - start), start);
}
