import type { Draws } from '../base/draws.ts';

/** A process that is killed loses nothing that it has written; a power cut costs what was not synced. */
export type Interruption = 'killed' | 'power cut';

/** The end of a process, just before a disk operation. */
export class Interrupted extends Error {
  readonly how: Interruption;

  constructor(how: Interruption) {
    super(how);
    this.how = how;
  }
}

/** Made once: each one notes where it was made, which takes longer than a disk operation. */
const interruptions = { killed: new Interrupted('killed'), 'power cut': new Interrupted('power cut') };

/** The disk takes part of the bytes, and says so. */
export class DiskFull extends Error {}

/**
 * A folder of a disk, as a careful program must expect it: what is written is lost in a power cut unless the file was
 * synced, and a new name is lost unless its folder was. It may have folders in it: a file of one is `folder/file`.
 */
export interface SimulatedDisk {
  /** Operations so far, those included that failed. */
  readonly operations: number;
  /** After so many more operations the process ends. */
  interruptAfter(count: number, how: Interruption): void;
  /** The next new content is taken in part only: the disk is full. */
  failNextWrite(): void;
  /** Writes a new file, or replaces the content of one. */
  write(name: string, content: string): void;
  append(name: string, content: string): void;
  truncate(name: string, length: number): void;
  sync(name: string): void;
  /** Default: the outer one. */
  syncFolder(folder?: string): void;
  /** Returns whether it was not there before. */
  makeFolder(folder: string): boolean;
  rename(from: string, to: string): void;
  remove(name: string): void;
  /** The content, or undefined if there is no such file. */
  read(name: string): string | undefined;
  /** The content without an operation: for those who watch. Empty if there is no such file. */
  peek(name: string): string;
  /** In the order of their making. */
  names(folder?: string): string[];
  /** The same without an operation. */
  peekNames(): string[];
  /** Whether there is such a file or folder, without an operation. */
  has(name: string): boolean;
  /** One character of a file changes on the platter. */
  rot(name: string): void;
  /** Only what was synced is sure to be there afterwards; some of the rest may be, in part. */
  losePower(): void;
}

interface File {
  content: string;
  durable: string;
}

/** @param cutAt The numbers of the operations, from 1, before which the power fails. */
export function createDisk(draws: Draws, cutAt: readonly number[] = []): SimulatedDisk {
  const cuts = new Map<number, Interruption>(cutAt.map((operation) => [operation, 'power cut']));
  const folders = createFolders(draws);
  let isFull = false;

  const operate = (): Folders => {
    disk.operations++;
    const how = cuts.get(disk.operations);
    if (how) throw interruptions[how];
    return folders;
  };

  const disk: SimulatedDisk & { operations: number } = {
    operations: 0,
    interruptAfter: (count, how) => void cuts.set(disk.operations + count + 1, how),
    failNextWrite() {
      isFull = true;
    },
    write(name, content) {
      const file = operate().make(name);
      const isShort = isFull && content !== '';
      file.content = isShort ? content.slice(0, content.length >> 1) : content;
      if (!isShort) return;
      isFull = false;
      throw new DiskFull(`no space for ${name}`);
    },
    append(name, content) {
      operate().make(name).content += content;
    },
    truncate(name, length) {
      const file = operate().get(name);
      file.content = file.content.slice(0, length);
    },
    sync(name) {
      const file = operate().get(name);
      file.durable = file.content;
    },
    syncFolder: (folder = '') => operate().at(folder).sync(),
    makeFolder: (folder) => operate().makeFolder(folder),
    rename: (from, to) => operate().rename(from, to),
    remove: (name) => operate().remove(name),
    read: (name) => operate().find(name)?.content,
    names: (folder = '') => operate().at(folder).names(),
    peek: (name) => folders.find(name)?.content ?? '',
    peekNames: () => folders.at('').names(),
    has: (name) => folders.find(name) !== undefined || folders.find(`${name}/`) !== undefined,
    rot(name) {
      const file = folders.get(name);
      rotFile(file, draws.below(file.content.length));
    },
    losePower: folders.losePower,
  };
  return disk;
}

/** The outer folder and those in it. */
interface Folders extends Omit<Folder, 'names' | 'sync'> {
  /** Throws a `RangeError` if it is not there. */
  at(folder: string): Folder;
  makeFolder(folder: string): boolean;
}

function createFolders(draws: Draws): Folders {
  const outer = createFolder(draws);
  const folders = new Map([['', outer]]);
  const at = (name: string): Folder => {
    const folder = folders.get(name);
    if (!folder) throw new RangeError(`no folder ${name}`);
    return folder;
  };
  /** The name of a folder ends in a stroke. */
  const place = (path: string): [Folder, string] => {
    const stroke = path.slice(0, -1).lastIndexOf('/');
    return stroke < 0 ? [outer, path] : [at(path.slice(0, stroke)), path.slice(stroke + 1)];
  };
  const on = <Result>(path: string, act: (folder: Folder, name: string) => Result): Result =>
    act(...place(path));
  return {
    at,
    find: (path) => on(path, (folder, name) => folder.find(name)),
    get: (path) => on(path, (folder, name) => folder.get(name)),
    make: (path) => on(path, (folder, name) => folder.make(name)),
    rename: (from, to) => on(from, (folder, name) => folder.rename(name, place(to)[1])),
    remove: (path) => on(path, (folder, name) => folder.remove(name)),
    makeFolder(name) {
      if (folders.has(name)) return false;
      outer.make(`${name}/`);
      folders.set(name, createFolder(draws));
      return true;
    },
    losePower() {
      outer.losePower();
      for (const [name, folder] of folders) {
        if (name === '') continue;
        if (outer.find(`${name}/`)) folder.losePower();
        else folders.delete(name);
      }
    },
  };
}

/** Names and files, and what of the names a power cut leaves. */
interface Folder {
  find(name: string): File | undefined;
  /** Throws a `RangeError` if it is not there. */
  get(name: string): File;
  /** Makes it if it is not there. */
  make(name: string): File;
  rename(from: string, to: string): void;
  remove(name: string): void;
  names(): string[];
  sync(): void;
  losePower(): void;
}

function createFolder(draws: Draws): Folder {
  let files = new Map<string, File>();
  /** As of the last sync, and after each change since. */
  let versions: Map<string, File>[] = [new Map()];
  const changed = (): void => void versions.push(new Map(files));
  const get = (name: string): File => {
    const file = files.get(name);
    if (!file) throw new RangeError(`no file ${name}`);
    return file;
  };
  return {
    find: (name) => files.get(name),
    get,
    make(name) {
      const file = files.get(name) ?? { content: '', durable: '' };
      if (files.has(name)) return file;
      files.set(name, file);
      changed();
      return file;
    },
    rename(from, to) {
      const file = get(from);
      files.delete(from);
      files.set(to, file);
      changed();
    },
    remove(name) {
      if (files.delete(name)) changed();
    },
    names: () => [...files.keys()],
    sync() {
      versions = [new Map(files)];
    },
    losePower() {
      // Changes of a folder reach the disk in order, as many as happened to.
      files = new Map(draws.pick(versions));
      versions = [new Map(files)];
      for (const file of files.values()) losePart(file, draws);
    },
  };
}

function rotFile(file: File, at: number): void {
  const other = file.content[at] === '1' ? '0' : '1';
  file.content = file.content.slice(0, at) + other + file.content.slice(at + 1);
  file.durable = file.content;
}

/** Of what was added since the last sync, some is there; anything else is as it was then. */
function losePart(file: File, draws: Draws): void {
  const { content, durable } = file;
  const isGrown = content.startsWith(durable);
  file.content = isGrown
    ? content.slice(0, durable.length + draws.below(content.length - durable.length + 1))
    : durable;
  file.durable = file.content;
}
