import type { Draws } from '../base/draws.ts';

/** The machine loses its power in the middle of a disk operation. */
export class PowerCut extends Error {}

/** The disk takes part of the bytes, and says so. */
export class DiskFull extends Error {}

/**
 * One folder of a disk, as a careful program must expect it: what is written is lost in a power cut unless the file was
 * synced, and a new name is lost unless the folder was.
 */
export interface SimulatedDisk {
  /** Operations so far, those included that failed. */
  readonly operations: number;
  /** The next new content is taken in part only: the disk is full. */
  failNextWrite(): void;
  /** Writes a new file, or replaces the content of one. */
  write(name: string, content: string): void;
  append(name: string, content: string): void;
  truncate(name: string, length: number): void;
  sync(name: string): void;
  syncFolder(): void;
  rename(from: string, to: string): void;
  remove(name: string): void;
  /** The content, or undefined if there is no such file. */
  read(name: string): string | undefined;
  /** The content without an operation: for those who watch. Empty if there is no such file. */
  peek(name: string): string;
  /** In the order of their making. */
  names(): string[];
  /** One character of a file changes on the platter. */
  rot(name: string): void;
  /** Only what was synced is sure to be there afterwards; some of the rest may be, in part. */
  losePower(): void;
}

interface File {
  content: string;
  durable: string;
}

/** @param cutAt The numbers of the operations, from 1, in which the power fails. */
export function createDisk(draws: Draws, cutAt: readonly number[] = []): SimulatedDisk {
  let files = new Map<string, File>();
  /** The folder as of its last sync, and after each change since. */
  let versions: Map<string, File>[] = [new Map()];
  let operations = 0;
  let isFull = false;

  const operate = (): void => {
    operations++;
    if (cutAt.includes(operations)) throw new PowerCut();
  };
  const fileOf = (name: string): File => {
    const file = files.get(name);
    if (!file) throw new RangeError(`no file ${name}`);
    return file;
  };
  const folderChanged = (): void => void versions.push(new Map(files));
  const put = (name: string, content: string, isWhole: boolean): void => {
    operate();
    const file = files.get(name) ?? { content: '', durable: '' };
    if (!files.has(name)) {
      files.set(name, file);
      folderChanged();
    }
    const before = isWhole ? '' : file.content;
    const isShort = isFull && isWhole && content !== '';
    file.content = before + (isShort ? content.slice(0, content.length >> 1) : content);
    if (!isShort) return;
    isFull = false;
    throw new DiskFull(`no space for ${name}`);
  };

  return {
    get operations() {
      return operations;
    },
    failNextWrite() {
      isFull = true;
    },
    write: (name, content) => put(name, content, true),
    append: (name, content) => put(name, content, false),
    truncate(name, length) {
      operate();
      const file = fileOf(name);
      file.content = file.content.slice(0, length);
    },
    sync(name) {
      operate();
      const file = fileOf(name);
      file.durable = file.content;
    },
    syncFolder() {
      operate();
      versions = [new Map(files)];
    },
    rename(from, to) {
      operate();
      const file = fileOf(from);
      files.delete(from);
      files.set(to, file);
      folderChanged();
    },
    remove(name) {
      operate();
      if (files.delete(name)) folderChanged();
    },
    read(name) {
      operate();
      return files.get(name)?.content;
    },
    peek: (name) => files.get(name)?.content ?? '',
    names() {
      operate();
      return [...files.keys()];
    },
    rot(name) {
      const file = fileOf(name);
      const at = draws.below(file.content.length);
      const other = file.content[at] === '1' ? '0' : '1';
      file.content = file.content.slice(0, at) + other + file.content.slice(at + 1);
      file.durable = file.content;
    },
    losePower() {
      // Changes of a folder reach the disk in order, as many as happened to.
      files = new Map(draws.pick(versions));
      versions = [new Map(files)];
      for (const file of files.values()) {
        const isGrown = file.content.startsWith(file.durable);
        const kept = draws.below(file.content.length - file.durable.length + 1);
        file.content = isGrown ? file.content.slice(0, file.durable.length + kept) : file.durable;
        file.durable = file.content;
      }
    },
  };
}
