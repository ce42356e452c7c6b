/** Names of the codecs, as they stand on the wire. */
export type CodecName = 'float32' | 'bfloat16' | 'float16' | 'int8' | 'top-k';

/**
 * How a float32 vector is written as bytes, little-endian. Only integer operations and correctly rounded IEEE arithmetic
 * are used, so the bytes, and the vector that is read back, are the same on every machine.
 *
 * No codec hides an element that is not finite: if `values` has one, so has the decoded vector. And no codec makes a
 * finite element infinite: what is too large for the format becomes its largest number.
 */
export interface VectorCodec {
  readonly name: CodecName;
  /** Whether every vector comes back as it was, to the last bit. */
  readonly isExact: boolean;
  /** Bytes of a vector of `count` elements. */
  sizes(count: number): ByteSizes;
  /** The bytes of `values`; they may be a view over them. */
  encode(values: Float32Array): Uint8Array;
  /**
   * The vector of `count` elements behind `bytes`, which may come from a stranger; it may be a view over them.
   *
   * @throws GradwireError MESSAGE_INVALID if no vector of `count` elements is written like that.
   */
  decode(bytes: Uint8Array, count: number): Float32Array;
}

/** Fewest and most bytes that an encoded vector can have: equal, unless the size depends on the values. */
export interface ByteSizes {
  readonly min: number;
  readonly max: number;
}
