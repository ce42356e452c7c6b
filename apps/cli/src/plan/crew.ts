import { availableParallelism } from 'node:os';

/** Who computes. */
export interface Crew {
  readonly workers: number;
  /** Of each worker. */
  readonly threads: number;
}

/** Those that were asked for; else two for a link and one without, which share this machine's cores. */
export function crewOf({
  workers,
  threads,
  isRemote,
}: { readonly [Name in keyof Crew]?: number | undefined } & { readonly isRemote: boolean }): Crew {
  const count = workers ?? (isRemote ? 2 : 1);
  return { workers: count, threads: threads ?? Math.max(1, Math.floor(availableParallelism() / count)) };
}
