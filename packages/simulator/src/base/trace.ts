/** A running hash over everything that happens in a simulation: equal traces, equal hashes. Not cryptographic. */
export interface Trace {
  /** How many things were noted. */
  readonly length: number;
  note(what: string, ...numbers: readonly number[]): void;
  /** Takes in the bit patterns, so that -0 differs from 0. */
  bits(values: Float32Array): void;
  /** 16 hex digits. */
  hash(): string;
}

const number = new Float64Array(1);
const words = new Uint32Array(number.buffer);
const single = new Float32Array(1);
const bitsOfSingle = new Uint32Array(single.buffer);

/** Creates the hash of an empty trace. */
export function createTrace(): Trace {
  let a = 0x9e3779b9;
  let b = 0x85ebca6b;
  const mix = (word: number): void => {
    a = Math.imul(a ^ word, 0x85ebca6b);
    a ^= a >>> 13;
    b = Math.imul(b ^ word, 0xc2b2ae35) + a;
    b ^= b >>> 16;
  };
  const trace: Trace & { length: number } = {
    length: 0,
    note(what, ...numbers) {
      trace.length++;
      for (let i = 0; i < what.length; i++) mix(what.charCodeAt(i));
      for (const value of numbers) {
        number[0] = value;
        mix(words[0]!);
        mix(words[1]!);
      }
    },
    bits(values) {
      // A view of a short vector would move it out of the heap.
      for (let i = 0; i < values.length; i++) {
        single[0] = values[i]!;
        mix(bitsOfSingle[0]!);
      }
    },
    hash: () => [a, b].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join(''),
  };
  return trace;
}
