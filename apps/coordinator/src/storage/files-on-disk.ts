import { relative } from 'node:path';
import type { FileSystem, OpenFile } from '@gradwire/checkpoint';
import { Interrupted, type SimulatedDisk } from '@gradwire/simulator';

/** A file system for one life of a process: after its end it does nothing more. */
export interface SimulatedFiles extends FileSystem {
  readonly end: Interrupted['how'] | undefined;
}

/** A simulated disk as the real code sees it, with `root` as its outer folder. Bytes are characters up to 255. */
export function filesOn(disk: SimulatedDisk, root: string): SimulatedFiles {
  let end: SimulatedFiles['end'];
  const operate = async <Result>(path: string, act: (name: string) => Result): Promise<Result> => {
    if (end) throw new Error('the process has ended');
    try {
      return act(relative(root, path));
    } catch (thrown) {
      if (thrown instanceof Interrupted) end = thrown.how;
      throw thrown;
    }
  };
  const existing = (name: string): string => {
    if (name === '' || disk.has(name)) return name;
    throw Object.assign(new Error(`ENOENT: ${name}`), { code: 'ENOENT' });
  };
  const read = (name: string): Buffer => Buffer.from(disk.read(existing(name)) ?? '', 'latin1');
  return {
    get end() {
      return end;
    },
    async open(path, flags) {
      await operate(path, (name) => {
        if (flags !== 'wx') return existing(name);
        if (disk.has(name)) throw Object.assign(new Error(`EEXIST: ${name}`), { code: 'EEXIST' });
        return disk.write(name, '');
      });
      return openFile(disk, (act) => operate(path, act));
    },
    readFile: (path) => operate(path, read),
    rename: (from, to) => operate(from, (name) => disk.rename(existing(name), relative(root, to))),
    remove: (path) => operate(path, disk.remove),
    names: (folder) => operate(folder, (name) => disk.names(existing(name))),
    makeFolder: (path) => operate(path, disk.makeFolder),
  };
}

type Operate = <Result>(act: (name: string) => Result) => Promise<Result>;

function openFile(disk: SimulatedDisk, operate: Operate): OpenFile {
  let readTo = 0;
  const sync = (): Promise<void> =>
    operate((name) => {
      const isFile = disk.peekNames().includes(name) || name.includes('/');
      return isFile ? disk.sync(name) : disk.syncFolder(name);
    });
  return {
    sync,
    datasync: sync,
    write: (...[bytes, offset, length, position]: Parameters<OpenFile['write']>) =>
      operate((name) => {
        if ((position ?? disk.peek(name).length) !== disk.peek(name).length)
          throw new RangeError('not at the end');
        disk.append(name, Buffer.from(bytes.subarray(offset, offset + length)).toString('latin1'));
        return { bytesWritten: length };
      }),
    read: (bytes, offset, length) =>
      operate((name) => {
        const content = Buffer.from(disk.read(name) ?? '', 'latin1').subarray(readTo, readTo + length);
        bytes.set(content, offset);
        readTo += content.length;
        return { bytesRead: content.length };
      }),
    truncate: (length) => operate((name) => disk.truncate(name, length)),
    close: async () => undefined,
  };
}
