import type { WorkerId } from '../events.ts';
import type { ActiveRound } from './state.ts';

/** Workers whose connection broke while they held a leaf. */
export interface Deaths {
  readonly workers: Set<WorkerId>;
  /** Those that held nothing else. */
  readonly alone: Set<WorkerId>;
  /** When the last of them was lost. */
  lastMs: number;
}

/** Whether a leaf is leased alone. */
export function isSuspect({ deaths }: ActiveRound, leaf: number): boolean {
  return (deaths.get(leaf)?.workers.size ?? 0) >= 2;
}
