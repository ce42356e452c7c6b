import { stepsIn } from '@gradwire/engine';
import type { Procedure } from './procedure.ts';
import type { SimulatedDisk } from './simulated-disk.ts';
import { decodeSnapshot, encodeSnapshot, type SimulatedSnapshot } from './snapshot-text.ts';

/** How a coordinator writes and finds its snapshots, step by step as the real one does. */
export interface Persistence {
  /** Returns once nothing can lose the snapshot any more. `DiskFull`: it is not there. */
  write(disk: SimulatedDisk, snapshot: SimulatedSnapshot): Procedure<void>;
  /** Afterwards only the newest are kept. */
  prune(disk: SimulatedDisk): Procedure<void>;
  /**
   * The newest good snapshot, with the journal cut to what belongs to it; nothing if there is none. Those with more than
   * `mostSteps` are removed first.
   */
  recover(disk: SimulatedDisk, mostSteps?: number): Procedure<SimulatedSnapshot | undefined>;
}

/** A line for each step and evaluation. */
export const journalName = 'journal';

const kept = 2;
const temporaryName = 'snapshot.tmp';

export const persistence: Persistence = {
  *write(disk, snapshot) {
    // First what the snapshot speaks of.
    disk.sync(journalName);
    yield;
    const content = encodeSnapshot(snapshot);
    disk.write(temporaryName, content);
    yield;
    disk.sync(temporaryName);
    yield;
    if (disk.read(temporaryName) !== content) throw new RangeError('the disk gives back other bytes');
    yield;
    disk.rename(temporaryName, nameOf(snapshot));
    yield;
    disk.syncFolder();
  },
  *prune(disk) {
    for (const name of snapshotNames(disk).slice(kept)) {
      yield;
      disk.remove(name);
    }
  },
  *recover(disk, mostSteps = Infinity) {
    const names = snapshotNames(disk);
    for (const name of names) {
      yield;
      const snapshot = decodeSnapshot(disk.read(name) ?? '');
      if (!snapshot) continue;
      if (stepsIn(snapshot.state) > mostSteps) {
        yield;
        disk.remove(name);
        continue;
      }
      yield;
      // A process that was killed may have renamed it, and not made the name last.
      disk.syncFolder();
      yield;
      disk.truncate(journalName, snapshot.journalLength);
      yield;
      disk.sync(journalName);
      return snapshot;
    }
    // What was removed must not come back to a journal that is empty.
    yield;
    disk.syncFolder();
    yield;
    disk.write(journalName, '');
    yield;
    disk.sync(journalName);
    yield;
    disk.syncFolder();
    return undefined;
  },
};

/** Newest first. */
export function snapshotNames(disk: Pick<SimulatedDisk, 'names'>): string[] {
  return disk
    .names()
    .filter((name) => name.startsWith('snapshot-'))
    .toSorted()
    .toReversed();
}

function nameOf({ state }: SimulatedSnapshot): string {
  return `snapshot-${String((state.lastRound?.index ?? -1) + 1).padStart(6, '0')}`;
}
