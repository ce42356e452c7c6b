/** What a worker tells the person or program that started it. */
export type WorkerEvent =
  | { readonly type: 'connecting'; readonly url: string; readonly attempt: number }
  | { readonly type: 'joined'; readonly run: string; readonly worker: string; readonly recipe: string }
  | { readonly type: 'data-local'; readonly source: string }
  | {
      readonly type: 'data-fetched';
      readonly shards: readonly number[];
      readonly chunks: number;
      readonly bytes: number;
    }
  | { readonly type: 'ready'; readonly backend: string; readonly numericsClass: string }
  /** After each lease. */
  | {
      readonly type: 'computed';
      readonly task: 'step' | 'evaluate';
      readonly version: number;
      readonly samples: number;
    }
  | { readonly type: 'unreachable'; readonly reason: string; readonly retryInMs: number }
  | { readonly type: 'disconnected'; readonly reason: string }
  | {
      readonly type: 'ended';
      readonly outcome: 'finished' | 'stopped' | 'failed' | 'left';
      readonly message: string;
    };
