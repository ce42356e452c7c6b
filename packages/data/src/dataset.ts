/** Element types of a data set's features, little-endian in chunks. */
export type FeatureType = 'uint8' | 'float32';

/** One split of a labelled data set in memory. */
export interface Dataset {
  /** For example `mnist`. */
  readonly name: string;
  readonly split: 'train' | 'test';
  /** Number of samples. */
  readonly count: number;
  /** Shape of one sample, for example `[28, 28, 1]`. */
  readonly sampleShape: readonly number[];
  readonly featureType: FeatureType;
  /** `count` samples one after the other, row-major. */
  readonly features: Uint8Array | Float32Array;
  /** Class index of each sample, below `classNames.length`. */
  readonly labels: Uint8Array;
  readonly classNames: readonly string[];
}

/** A content-addressed piece of a data set: the unit of transfer and caching. */
export interface ChunkEntry {
  /** SHA-256 of the chunk's bytes, lower-case hexadecimal. */
  readonly sha256: string;
  /** First sample. */
  readonly start: number;
  /** Number of samples. */
  readonly count: number;
  readonly bytes: number;
}

/** What a data set consists of. Chunk bytes: the features of `count` samples, then one label byte for each. */
export interface DatasetManifest {
  readonly format: 'gradwire-dataset/1';
  readonly name: string;
  readonly split: 'train' | 'test';
  readonly count: number;
  readonly sampleShape: readonly number[];
  readonly featureType: FeatureType;
  readonly classNames: readonly string[];
  readonly chunks: readonly ChunkEntry[];
}
