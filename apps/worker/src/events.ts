/** What a worker tells the person or program that started it. */
export type WorkerEvent =
  | { readonly type: 'connecting'; readonly url: string; readonly attempt: number }
  | { readonly type: 'joined'; readonly run: string; readonly worker: string; readonly recipe: string }
  | { readonly type: 'data-local'; readonly source: string }
  /** Asked to get the data of these shards; `prepared` follows. */
  | { readonly type: 'preparing'; readonly shards: readonly number[] }
  | { readonly type: 'prepared'; readonly shards: readonly number[]; readonly fetchedBytes: number }
  /** Something went wrong that does not end the work. */
  | { readonly type: 'problem'; readonly message: string }
  | { readonly type: 'ready'; readonly backend: string; readonly numericsClass: string }
  /** After each lease. */
  | {
      readonly type: 'computed';
      readonly task: 'step' | 'evaluate';
      readonly version: number;
      readonly samples: number;
    }
  | { readonly type: 'unreachable'; readonly reason: string }
  | { readonly type: 'disconnected'; readonly reason: string }
  | {
      readonly type: 'ended';
      readonly outcome: 'finished' | 'stopped' | 'failed' | 'released' | 'left';
      readonly message: string;
    };
