/** One named tensor inside a flat weight or gradient vector. */
export interface Parameter {
  /** Unique, for example `conv2d_1/kernel`. */
  readonly name: string;
  readonly shape: readonly number[];
  /** First element, counted in elements from the start of the vector. */
  readonly offset: number;
  /** Number of elements: the product of `shape`. */
  readonly size: number;
  /** L2 and weight decay act on kernels only. */
  readonly role: 'kernel' | 'bias';
}

/** How a flat `Float32Array` of weights or gradients is divided into tensors, contiguous and in order. */
export interface ParameterLayout {
  readonly parameters: readonly Parameter[];
  /** Elements in the whole vector. */
  readonly size: number;
}
