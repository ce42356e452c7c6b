/** Who waits until fewer bytes are queued. */
export interface DrainWaiters {
  /** Resolves at the next {@link check} that finds fewer than `bytes` queued; at once if that is so already. */
  wait(bytes: number): Promise<void>;
  check(): void;
  /** Resolves everyone, now and later. */
  end(): void;
}

export function createDrainWaiters(bufferedBytes: () => number): DrainWaiters {
  let waiters: { readonly bytes: number; readonly resolve: () => void }[] = [];
  let isEnded = false;
  const check = (): void => {
    const buffered = bufferedBytes();
    const isDone = (bytes: number): boolean => isEnded || buffered < bytes;
    for (const { bytes, resolve } of waiters) if (isDone(bytes)) resolve();
    waiters = waiters.filter(({ bytes }) => !isDone(bytes));
  };
  return {
    wait(bytes) {
      if (isEnded || bufferedBytes() < bytes) return Promise.resolve();
      return new Promise((resolve) => waiters.push({ bytes, resolve }));
    },
    check,
    end() {
      isEnded = true;
      check();
    },
  };
}
