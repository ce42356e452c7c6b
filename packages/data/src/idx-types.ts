/** The typed array that holds the elements of each IDX type. */
export interface IdxData {
  uint8: Uint8Array;
  int8: Int8Array;
  int16: Int16Array;
  int32: Int32Array;
  float32: Float32Array;
  float64: Float64Array;
}

/** An element type of the IDX format. */
export type IdxType = keyof IdxData;

/** The content of an IDX file: an array of any rank, row-major. `dtype` tells which typed array `data` is. */
export type IdxArray = {
  [Type in IdxType]: {
    readonly dtype: Type;
    /** 1 to 255 dimensions, the slowest first. */
    readonly shape: readonly number[];
    readonly data: IdxData[Type];
  };
}[IdxType];

/** How one element type is coded: big-endian, whatever the machine. */
export interface IdxCodec<Type extends IdxType> {
  /** The third byte of the file. */
  readonly code: number;
  readonly bytesPerElement: number;
  create(length: number): IdxData[Type];
  get(view: DataView, offset: number): number;
  set(view: DataView, offset: number, value: number): void;
}

/** The types of the format. Source: LeCun, Cortes, Burges, "The MNIST database", section "The IDX file format". */
export const idxCodecs: { readonly [Type in IdxType]: IdxCodec<Type> } = {
  uint8: {
    code: 0x08,
    bytesPerElement: 1,
    create: (length) => new Uint8Array(length),
    get: (view, offset) => view.getUint8(offset),
    set: (view, offset, value) => view.setUint8(offset, value),
  },
  int8: {
    code: 0x09,
    bytesPerElement: 1,
    create: (length) => new Int8Array(length),
    get: (view, offset) => view.getInt8(offset),
    set: (view, offset, value) => view.setInt8(offset, value),
  },
  int16: {
    code: 0x0b,
    bytesPerElement: 2,
    create: (length) => new Int16Array(length),
    get: (view, offset) => view.getInt16(offset),
    set: (view, offset, value) => view.setInt16(offset, value),
  },
  int32: {
    code: 0x0c,
    bytesPerElement: 4,
    create: (length) => new Int32Array(length),
    get: (view, offset) => view.getInt32(offset),
    set: (view, offset, value) => view.setInt32(offset, value),
  },
  float32: {
    code: 0x0d,
    bytesPerElement: 4,
    create: (length) => new Float32Array(length),
    get: (view, offset) => view.getFloat32(offset),
    set: (view, offset, value) => view.setFloat32(offset, value),
  },
  float64: {
    code: 0x0e,
    bytesPerElement: 8,
    create: (length) => new Float64Array(length),
    get: (view, offset) => view.getFloat64(offset),
    set: (view, offset, value) => view.setFloat64(offset, value),
  },
};
