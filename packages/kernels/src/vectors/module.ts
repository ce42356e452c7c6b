/** What `assembly/vectors.ts` exports. Vectors are byte addresses in the module's memory. */
interface VectorExports {
  add(target: number, other: number, count: number): void;
  scale(values: number, count: number, factor: number): void;
  isFinite(values: number, count: number): number;
  average(gradient: number, weights: number, count: number, samples: number, l2: number, lanes: number): void;
  addSquares(values: number, count: number, lanes: number): void;
  mixWords(words: number, count: number, lanes: number): void;
  descend(weights: number, gradient: number, count: number, learningRate: number): void;
  momentum(
    weights: number,
    gradient: number,
    velocity: number,
    count: number,
    learningRate: number,
    factor: number,
    nesterov: boolean,
    spare: number,
  ): void;
  adam(
    weights: number,
    gradient: number,
    first: number,
    second: number,
    count: number,
    beta1: number,
    beta2: number,
    epsilon: number,
    rate: number,
    secondScale: number,
    decay: number,
    spare: number,
  ): void;
}

/** A float32 vector in the module's memory. */
export interface PlacedVector {
  /** In bytes. */
  readonly address: number;
  readonly values: Float32Array<ArrayBuffer>;
}

/** The module on a memory of its own, which never grows: views of it stay valid. */
export interface VectorInstance {
  readonly run: VectorExports;
  /** Eight sums of squares. */
  readonly lanes: { readonly address: number; readonly values: Float64Array };
  /** Sixteen lanes of a checksum. */
  readonly mixer: { readonly address: number; readonly values: Uint32Array };
  /** Address of 32 bytes of scratch space. */
  readonly spare: number;
  /** Blocks of {@link blockElements} through which vectors from outside pass: what changes, and what is only read. */
  readonly target: PlacedVector;
  readonly source: PlacedVector;
  /** Zeros at first. */
  readonly state: readonly PlacedVector[];
}

/** The part of the global that is needed here: TypeScript has its types only among those of browsers. */
declare const WebAssembly: {
  compile(bytes: Uint8Array<ArrayBuffer>): Promise<VectorModule>;
  Instance: new (compiled: VectorModule, imports: object) => { readonly exports: unknown };
  Memory: new (limits: {
    readonly initial: number;
    readonly maximum: number;
  }) => { readonly buffer: ArrayBuffer };
};

/** The compiled module. */
export interface VectorModule {
  readonly __brand: 'VectorModule';
}

/** Elements of a block: small enough for the first caches, large enough that calls do not count. */
export const blockElements = 8192;
/** Kernels may read and write a few elements past the end of a block. */
const slackBytes = 32;
const pageBytes = 65_536;
const maxPages = 65_536;

/** @param bytes - `@gradwire/kernels/vectors.wasm`. */
export function compileVectors(bytes: Uint8Array<ArrayBuffer>): Promise<VectorModule> {
  return WebAssembly.compile(bytes);
}

/**
 * Makes an instance with room for some vectors of state.
 *
 * @throws RangeError if they do not fit into 4 GiB, or the machine has not got that much.
 */
export function createInstance(
  compiled: VectorModule,
  { count, length }: { readonly count: number; readonly length: number },
): VectorInstance {
  let end = 0;
  const reserve = (bytes: number): number => {
    const address = end;
    end += Math.ceil(bytes / 64) * 64;
    return address;
  };
  const [lanes, mixer] = [reserve(64), reserve(64)];
  const spare = reserve(32);
  const [target, source] = [0, 0].map(() => reserve(4 * blockElements + slackBytes));
  const state = Array.from({ length: count }, () => reserve(4 * length));

  const pages = Math.ceil(end / pageBytes);
  if (pages > maxPages) throw new RangeError(`${count} vectors of ${length} elements: more than 4 GiB`);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory } });
  const place = (address: number, elements: number): PlacedVector => ({
    address,
    values: new Float32Array(memory.buffer, address, elements),
  });
  return {
    run: exports as VectorExports,
    lanes: { address: lanes, values: new Float64Array(memory.buffer, lanes, 8) },
    mixer: { address: mixer, values: new Uint32Array(memory.buffer, mixer, 16) },
    spare,
    target: place(target ?? 0, blockElements),
    source: place(source ?? 0, blockElements),
    state: state.map((address) => place(address, length)),
  };
}
