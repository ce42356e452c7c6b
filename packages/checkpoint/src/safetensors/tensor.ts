/** The element types that this package reads and writes, with their arrays. */
export const elementArrays: {
  readonly F64: typeof Float64Array;
  readonly F32: typeof Float32Array;
  readonly I32: typeof Int32Array;
  readonly I16: typeof Int16Array;
  readonly I8: typeof Int8Array;
  readonly U32: typeof Uint32Array;
  readonly U16: typeof Uint16Array;
  readonly U8: typeof Uint8Array;
} = {
  F64: Float64Array,
  F32: Float32Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U32: Uint32Array,
  U16: Uint16Array,
  U8: Uint8Array,
};

/** An element type by its safetensors name. */
export type ElementType = keyof typeof elementArrays;

/** The array of an element type. */
export type ElementArray =
  | Float64Array
  | Float32Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint32Array
  | Uint16Array
  | Uint8Array;

/** One named tensor, row-major. */
export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: ElementArray;
}

/** The content of a safetensors file. */
export interface Safetensors {
  /** In the order of their bytes. */
  readonly tensors: readonly NamedTensor[];
  /** Free texts (`__metadata__`), empty if there are none. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** The safetensors name of an array's element type; `TypeError` if it has none. */
export function elementTypeOf(data: ElementArray): ElementType {
  for (const [type, array] of Object.entries(elementArrays)) {
    if (data instanceof array) return type as ElementType;
  }
  throw new TypeError(`data must be one of ${Object.keys(elementArrays).join(', ')}, got ${typeof data}`);
}

/** The product of a shape, or undefined if a size is not a whole number or the product leaves the safe integers. */
export function elementCount(shape: readonly unknown[]): number | undefined {
  let count = 1;
  for (const size of shape) {
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) return undefined;
    count *= size;
    if (!Number.isSafeInteger(count)) return undefined;
  }
  return count;
}
