/** The elements of a flat vector from `start` up to, not including, `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** What an update reads and writes: flat vectors of one length. `into` may be one of the other two. */
export interface UpdateVectors {
  readonly weights: Float32Array;
  /** The mean over the step's samples. */
  readonly gradient: Float32Array;
  /** Gets the new weights. */
  readonly into: Float32Array;
}

/** The coefficients of one update of Adam. */
export interface AdamCoefficients {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** learning rate / (1 - beta1^t) */
  readonly rate: number;
  /** 1 / (1 - beta2^t) */
  readonly secondScale: number;
  /** learning rate * weight decay */
  readonly decay: number;
}

/** The coefficients of one update with momentum. */
export interface MomentumCoefficients {
  readonly learningRate: number;
  readonly momentum: number;
  readonly nesterov: boolean;
}

/** What an update rule remembers, and how it changes weights; formulas in `optimizers/`. */
export interface UpdateRule<Coefficients, Name extends string> {
  /** Vectors as long as the weights, by name; zeros at first. The caller may fill them to go on from earlier ones. */
  readonly state: Readonly<Record<Name, Float32Array>>;
  /** One update of a span. Returns whether all its new weights are finite. */
  update(vectors: UpdateVectors, span: Span, coefficients: Coefficients): boolean;
}

/**
 * Arithmetic on flat vectors, which decides the bits of the weights. Every implementation gives the bits of
 * {@link plainVectors}: float64 operations (only `+ - * /` and square root) in the order written there, rounded to
 * float32 when stored. NaN counts as one value,
 * except in a checksum.
 */
export interface VectorMath {
  /** `target += other`. */
  add(target: Float32Array, other: Float32Array): void;
  /** `values *= factor`. */
  scale(values: Float32Array, factor: number): void;
  /** Whether no element is NaN or infinite. */
  isFinite(values: Float32Array): boolean;
  /**
   * Turns the span of a gradient sum into the mean over `samples`, then adds `l2 * weights`.
   *
   * @returns The sum of squares of the result, in float64: element `start + i` goes to lane `i mod 8`, and the lanes
   * are added as ((0 + 1) + (2 + 3)) + ((4 + 5) + (6 + 7)). Not finite if an element is not.
   */
  average(
    gradient: Float32Array,
    weights: Float32Array,
    options: Span & { readonly samples: number; readonly l2: number },
  ): number;
  /**
   * 128 bits over the bit patterns of all elements, as 32 hexadecimal digits: -0 is not 0, and the payload of NaN counts. It
   * finds every accident; it is no signature, since whoever wants to can make two vectors with one checksum.
   */
  checksum(values: Float32Array): string;
  /** {@link checksum} and the sum of squares, as {@link average} adds it, in one pass; the values stay as they are. */
  examine(values: Float32Array): { readonly checksum: string; readonly squares: number };
  /** Plain gradient descent on a span. Returns whether all its new weights are finite. */
  descend(vectors: UpdateVectors, span: Span, learningRate: number): boolean;
  createMomentum(length: number): UpdateRule<MomentumCoefficients, 'velocity'>;
  createAdam(length: number): UpdateRule<AdamCoefficients, 'firstMoment' | 'secondMoment'>;
}
