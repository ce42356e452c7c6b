import type { Round } from '@gradwire/engine';

/** The first entry of every snapshot's metadata: a reader of another version refuses the file. */
export const snapshotFormat = 'gradwire-snapshot/1';

/** How much of a file belongs to a snapshot: its first `bytes`, and their SHA-256. */
export interface FilePrefix {
  readonly bytes: number;
  readonly sha256: string;
}

/** Everything in a snapshot but the vectors. */
export interface SnapshotRecord {
  /** Name of the run directory. */
  readonly run: string;
  /** Which start of the coordinator wrote it: 1 for the first, one more with each resume. */
  readonly term: number;
  /** Hash of the recipe with all overrides. */
  readonly recipeHash: string;
  /** Sums of the manifests of the data. */
  readonly data: { readonly train: string; readonly test: string };
  /** Steps committed. */
  readonly step: number;
  /** The last round that was closed; absent before the first. */
  readonly lastRound?: Round;
  /** Sums over the training samples of the epoch so far. */
  readonly epochTotals: { readonly samples: number; readonly loss: number; readonly correct: number };
  /** Training time up to here, over all terms. */
  readonly seconds: number;
  /** The backend behind each numerics class. */
  readonly backends: Readonly<Record<string, string>>;
  /** What `metrics.jsonl` and `ledger.jsonl` held at this point. */
  readonly files: Readonly<Record<string, FilePrefix>>;
  /** The evaluation of these very weights, if there was one. */
  readonly evaluation?: { readonly accuracy: number; readonly loss: number };
}

/** A point at which a run can go on: between two rounds. */
export interface Snapshot {
  readonly record: SnapshotRecord;
  readonly weights: Float32Array;
  /** What the optimizer remembers: vectors as long as the weights, by name. */
  readonly optimizer: Readonly<Record<string, Float32Array>>;
}
