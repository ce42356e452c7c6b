import type { ParameterLayout } from '@gradwire/engine';

/** The names inside a model directory. */
export const modelFiles = {
  topology: 'model.json',
  weights: 'weights.bin',
  safetensors: 'weights.safetensors',
  /** Written last: a directory without it is not whole. */
  manifest: 'gradwire.json',
} as const;

/** A tfjs LayersModel as data: the parts of `tf.io.ModelArtifacts` that are stored. */
export interface ModelArtifacts {
  readonly modelTopology: object;
  readonly weightSpecs: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly dtype: string;
  }[];
  /** Little-endian, in the order of `weightSpecs`. */
  readonly weightData: ArrayBuffer;
  readonly generatedBy?: string;
}

/** What a model needs besides its weights, to be used later. */
export interface ModelExtras {
  /** Plain data; the reader validates it. */
  readonly recipe: unknown;
  /** Statistics of the training features, where the recipe's preprocessing needs them. One entry a channel. */
  readonly statistics?: { readonly mean: readonly number[]; readonly deviation: readonly number[] };
  /** Name of each class, by label. */
  readonly classNames: readonly string[];
}

/** `gradwire.json`. */
export interface ModelManifest extends ModelExtras {
  readonly format: 'gradwire-model/1';
  /** SHA-256 of the flat float32 little-endian weights. */
  readonly weightsSha256: string;
  readonly layout: ParameterLayout;
  /** Size and SHA-256 of the files beside it, by name. */
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;
}
