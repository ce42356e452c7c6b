/** What one worker did in a run. */
export interface WorkerSummary {
  readonly name: string;
  /** `wasm` or `native`. */
  readonly backend: string;
  /** Workers with the same text give the same bits. */
  readonly numericsClass: string;
  /** Leases whose result was used. */
  readonly leases: number;
}

/** A run's result: the content of `summary.json`. */
export interface Summary {
  readonly outcome: 'finished' | 'stopped' | 'failed';
  /** Why it failed. */
  readonly failure?: { readonly code: string; readonly message: string };
  /** The recipe's name. */
  readonly recipe: string;
  readonly seed: number;
  /** Optimizer updates made. */
  readonly steps: number;
  /** Passes over the training set that were completed. */
  readonly epochs: number;
  /** Training samples used, counted with repetition over epochs. */
  readonly samplesSeen: number;
  /** In [0, 1]; null if the test did not take place. */
  readonly testAccuracy: number | null;
  /** Mean over the test set; null as above. */
  readonly testLoss: number | null;
  /** `confusion[actual][predicted]` of the test set; null as above. */
  readonly confusion: readonly (readonly number[])[] | null;
  /** SHA-256 of the flat float32 little-endian weights. */
  readonly weightsSha256: string;
  /** Chain value of the ledger's last line; the recipe's hash if there is none. */
  readonly ledgerChain: string;
  /** From the first step's start to the last one's end, or that of the evaluation after it. */
  readonly seconds: number;
  readonly samplesPerSecond: number;
  /** True if the same recipe gives the same weights with any number of workers, else why not. */
  readonly exact: true | string;
  /** Lines of `incidents.jsonl`; absent if nothing happened. */
  readonly incidents?: number;
  readonly workers: readonly WorkerSummary[];
  /** Backends of the workers, joined by commas. */
  readonly backend: string;
  /** The run directory. */
  readonly directory: string;
}

/** Mean training loss and accuracy of each step, from the first. */
export interface Curve {
  readonly loss: readonly number[];
  readonly accuracy: readonly number[];
}

/** One pass over validation or test samples. */
export interface Evaluation {
  readonly split: 'validation' | 'test';
  /** Steps made before it. */
  readonly step: number;
  readonly loss: number;
  /** In [0, 1]. */
  readonly accuracy: number;
}
