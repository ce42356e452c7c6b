import { checkSize } from './bits.ts';
import { float32 } from './float32.ts';
import type { VectorCodec } from './vector-codec.ts';

/** Neighbouring elements of a vector. */
export interface VectorPart {
  /** The first one. */
  readonly offset: number;
  readonly size: number;
}

/**
 * The codec for all elements but those of `parts`: these come first, as float32. The code of the others follows, as if
 * nothing lay between them. The codec itself if there are no parts, or if it loses nothing.
 *
 * @param parts Ascending, without overlap. Of a shorter vector, what it has of them.
 */
export function keepExact(codec: VectorCodec, parts: readonly VectorPart[]): VectorCodec {
  if (codec.isExact || parts.length === 0) return codec;
  const keeping: VectorCodec = {
    name: codec.name,
    isExact: false,
    sizes(count) {
      const exact = lengthOf(divide(parts, count).exact);
      const { min, max } = codec.sizes(count - exact);
      return { min: 4 * exact + min, max: 4 * exact + max };
    },
    encode(values) {
      const { exact, others } = divide(parts, values.length);
      const code = codec.encode(gather(values, others));
      const bytes = new Uint8Array(4 * lengthOf(exact) + code.length);
      bytes.set(float32.encode(gather(values, exact)));
      bytes.set(code, bytes.length - code.length);
      return bytes;
    },
    decode(bytes, count) {
      checkSize(keeping, bytes.length, count);
      const { exact, others } = divide(parts, count);
      const codeStart = 4 * lengthOf(exact);
      const values = new Float32Array(count);
      scatter(float32.decode(bytes.subarray(0, codeStart), lengthOf(exact)), exact, values);
      scatter(codec.decode(bytes.subarray(codeStart), lengthOf(others)), others, values);
      return values;
    },
  };
  return keeping;
}

/** Elements from `start` up to, not including, `end`. */
interface Range {
  readonly start: number;
  readonly end: number;
}

function divide(
  parts: readonly VectorPart[],
  count: number,
): { readonly exact: readonly Range[]; readonly others: readonly Range[] } {
  const exact = parts.map(({ offset, size }) => ({
    start: Math.min(offset, count),
    end: Math.min(offset + size, count),
  }));
  const others = [...exact, { start: count }].map(({ start }, i) => ({
    start: exact[i - 1]?.end ?? 0,
    end: start,
  }));
  return { exact, others };
}

function lengthOf(ranges: readonly Range[]): number {
  return ranges.reduce((sum, { start, end }) => sum + end - start, 0);
}

function gather(values: Float32Array, ranges: readonly Range[]): Float32Array {
  const gathered = new Float32Array(lengthOf(ranges));
  let at = 0;
  for (const { start, end } of ranges) {
    gathered.set(values.subarray(start, end), at);
    at += end - start;
  }
  return gathered;
}

function scatter(gathered: Float32Array, ranges: readonly Range[], values: Float32Array): void {
  let at = 0;
  for (const { start, end } of ranges) {
    values.set(gathered.subarray(at, at + end - start), start);
    at += end - start;
  }
}
