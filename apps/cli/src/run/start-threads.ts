import { availableParallelism } from 'node:os';
import type { BackendChoice } from '@gradwire/backend';
import { startThreadPool, type ThreadPool } from '@gradwire/worker/thread-pool';

/**
 * Starts a command's compute threads before it has loaded the rest of its own code: both take 0.2 s. That they do not
 * start is heard by whoever waits for them.
 */
export function startThreads(settings: {
  readonly backend: BackendChoice;
  readonly threads?: number;
}): Promise<ThreadPool> {
  const { backend, threads = availableParallelism() } = settings;
  const starting = startThreadPool(backend, threads);
  starting.catch(() => undefined);
  return starting;
}
