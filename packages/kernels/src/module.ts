import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';

/** What `assembly/index.ts` exports. Tensors are byte addresses on the heap, 0 for none. */
export interface KernelExports {
  convolve(geometry: number, x: number, filter: number, bias: number, relu: boolean, y: number): void;
  convolvePool(
    geometry: number,
    x: number,
    filter: number,
    bias: number,
    relu: boolean,
    y: number,
    index: number,
  ): void;
  convolveGradients(
    geometry: number,
    x: number,
    filter: number,
    dy: number,
    index: number,
    dFilter: number,
    dBias: number,
    dx: number,
  ): void;
  denseInputGradient(geometry: number, dy: number, filter: number, dx: number): void;
  depthwiseFilterGradient(geometry: number, x: number, dy: number, dFilter: number): void;
  depthwiseInputGradient(geometry: number, filter: number, dy: number, dx: number): void;
  maxPoolGradient(geometry: number, x: number, y: number, dy: number, dx: number): void;
  averagePoolGradient(geometry: number, dy: number, dx: number): void;
  addBias(x: number, bias: number, rows: number, columns: number, relu: boolean, y: number): void;
  addTo(x: number, y: number, size: number): void;
  reluGradient(dy: number, y: number, size: number, dx: number): void;
  sumRows(x: number, rows: number, columns: number, y: number): void;
  batchNorm(
    x: number,
    rows: number,
    columns: number,
    scale: number,
    offset: number,
    epsilon: number,
    relu: boolean,
    y: number,
    mean: number,
    variance: number,
  ): void;
  applyBatchNorm: KernelExports['batchNorm'];
  batchNormGradients(
    x: number,
    y: number,
    dy: number,
    rows: number,
    columns: number,
    scale: number,
    mean: number,
    variance: number,
    epsilon: number,
    dx: number,
    dScale: number,
    dOffset: number,
  ): void;
  softmaxCrossEntropy(
    logits: number,
    targets: number,
    rows: number,
    columns: number,
    loss: number,
    dLogits: number,
  ): void;
  sigmoidCrossEntropy: KernelExports['softmaxCrossEntropy'];
  sumOfProducts(a: number, b: number, c: number, m: number, n: number, sizes: number, count: number): void;
  matMul(
    a: number,
    b: number,
    c: number,
    m: number,
    k: number,
    n: number,
    transposeA: boolean,
    transposeB: boolean,
  ): void;
}

/** The kernels on one backend's heap. */
export interface KernelInstance {
  readonly run: KernelExports;
  /** Copies a geometry to the heap and returns its address; valid until the next call. */
  placeGeometry(fields: Int32Array): number;
}

/** The part of the global that is needed here: TypeScript has its types only among those of browsers. */
declare const WebAssembly: {
  compile(bytes: Uint8Array<ArrayBuffer>): Promise<CompiledModule>;
  Instance: new (compiled: CompiledModule, imports: object) => { readonly exports: unknown };
};

interface CompiledModule {
  readonly __brand: 'WebAssembly.Module';
}

/** The parts of the backend's emscripten module that the kernels work with; its types leave them out. */
interface TfjsModule {
  asm: {
    memory: { readonly buffer: ArrayBuffer };
    malloc(bytes: number): number;
    free(address: number): void;
  };
}

const geometryBytes = 256;
const instances = new WeakMap<BackendWasm, KernelInstance>();
let compiled: CompiledModule | undefined;

/**
 * Compiles the kernels. Needed once, before the first kernel runs.
 *
 * @param bytes - `@gradwire/kernels/kernels.wasm`.
 */
export async function compileKernels(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  compiled = await WebAssembly.compile(bytes);
}

/** The kernels on that backend's heap; made at the first call. TypeError before {@link compileKernels}. */
export function kernelsOn(backend: BackendWasm): KernelInstance {
  const existing = instances.get(backend);
  if (existing) return existing;
  if (compiled === undefined) throw new TypeError('kernels: not compiled yet; await loadKernels() first');
  const { memory, malloc, free } = (backend.wasm as unknown as TfjsModule).asm;
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory }, heap: { malloc, free } });
  const geometry = malloc(geometryBytes);
  const instance: KernelInstance = {
    run: exports as KernelExports,
    placeGeometry(fields) {
      new Int32Array(memory.buffer, geometry, geometryBytes / 4).set(fields);
      return geometry;
    },
  };
  instances.set(backend, instance);
  return instance;
}
