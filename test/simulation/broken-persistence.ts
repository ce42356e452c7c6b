import {
  decodeSnapshot,
  DiskFull,
  encodeSnapshot,
  journalName,
  parseSnapshot,
  type Persistence,
  persistence,
  type SimulatedDisk,
  type SimulatedSnapshot,
  snapshotNames,
} from '@gradwire/simulator';

/*
 * Ways to write and find snapshots that are wrong on purpose, each in one way.
 */

/** Leaves out one kind of operation. */
function without(...missing: readonly (keyof SimulatedDisk)[]): Persistence {
  const blind = (disk: SimulatedDisk): SimulatedDisk =>
    new Proxy(disk, {
      get: (target, name: keyof SimulatedDisk) => (missing.includes(name) ? () => undefined : target[name]),
    });
  return { ...persistence, write: (disk, snapshot) => persistence.write(blind(disk), snapshot) };
}

const nameOf = ({ state }: SimulatedSnapshot): string =>
  `snapshot-${String((state.lastRound?.index ?? -1) + 1).padStart(6, '0')}`;

/** By what is wrong with them. */
export const brokenPersistences: Readonly<Record<string, Persistence>> = {
  'does not sync anything': without('sync', 'syncFolder'),
  'acknowledges before the folder is synced': without('syncFolder'),
  'acknowledges before the file is synced': without('sync'),
  'writes over the name itself': {
    ...persistence,
    *write(disk, snapshot) {
      disk.sync(journalName);
      yield;
      disk.write(nameOf(snapshot), encodeSnapshot(snapshot));
      yield;
      disk.syncFolder();
    },
  },
  'removes the old ones first': {
    ...persistence,
    *write(disk, snapshot) {
      for (const name of snapshotNames(disk)) disk.remove(name);
      yield;
      yield* persistence.write(disk, snapshot);
    },
  },
  'takes a full disk for success': {
    ...persistence,
    *write(disk, snapshot) {
      try {
        yield* persistence.write(disk, snapshot);
      } catch (thrown) {
        if (!(thrown instanceof DiskFull)) throw thrown;
      }
    },
  },
  'does not sync the journal first': {
    ...persistence,
    *write(disk, snapshot) {
      const content = encodeSnapshot(snapshot);
      disk.write('snapshot.tmp', content);
      yield;
      disk.sync('snapshot.tmp');
      yield;
      disk.rename('snapshot.tmp', nameOf(snapshot));
      yield;
      disk.syncFolder();
    },
  },
  'does not compare sums when it reads': {
    ...persistence,
    *recover(disk) {
      const [newest] = snapshotNames(disk);
      yield;
      if (newest === undefined) return yield* persistence.recover(disk);
      const snapshot = parseSnapshot((disk.read(newest) ?? '').split('\n')[0] ?? '');
      yield;
      disk.truncate(journalName, snapshot.journalLength);
      return snapshot;
    },
  },
  'gives up at a damaged snapshot': {
    ...persistence,
    *recover(disk) {
      const [newest] = snapshotNames(disk);
      yield;
      if (newest !== undefined && !decodeSnapshot(disk.read(newest) ?? '')) throw new RangeError('damaged');
      return yield* persistence.recover(disk);
    },
  },
  'takes the oldest': {
    ...persistence,
    *recover(disk) {
      for (const name of snapshotNames(disk).slice(0, -1)) disk.remove(name);
      return yield* persistence.recover(disk);
    },
  },
  'starts from the beginning': {
    ...persistence,
    *recover(disk) {
      for (const name of snapshotNames(disk)) disk.remove(name);
      return yield* persistence.recover(disk);
    },
  },
  'does not cut the journal': {
    ...persistence,
    *recover(disk) {
      const snapshot = decodeSnapshot(disk.read(snapshotNames(disk)[0] ?? '') ?? '');
      yield;
      return snapshot ?? (yield* persistence.recover(disk));
    },
  },
};
