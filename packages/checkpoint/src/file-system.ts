import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';

/** The part of an open file or folder that is needed. */
export interface OpenFile {
  /** `position`: from the start of the file; default: where the last write has ended. */
  write(
    bytes: Uint8Array,
    offset: number,
    length: number,
    position?: number,
  ): Promise<{ bytesWritten: number }>;
  read(bytes: Uint8Array, offset: number, length: number): Promise<{ bytesRead: number }>;
  truncate(bytes: number): Promise<void>;
  /** Of a folder: its names. */
  sync(): Promise<void>;
  /** The content, and of what surrounds it only what is needed to read it. */
  datasync(): Promise<void>;
  close(): Promise<void>;
}

/** The disk as far as a run's files need it, so that tests can make any single operation fail. Errors have Node's codes. */
export interface FileSystem {
  /** `mode`: permissions of a new file; default 0o666 less the process's mask. */
  open(path: string, flags: 'wx' | 'r' | 'r+', mode?: number): Promise<OpenFile>;
  readFile(path: string): Promise<Buffer>;
  rename(from: string, to: string): Promise<void>;
  /** Does nothing if it is not there. */
  remove(path: string): Promise<void>;
  names(folder: string): Promise<string[]>;
  /** Resolves to whether it was not there before. */
  makeFolder(path: string): Promise<boolean>;
}

/** The real disk. */
export const disk: FileSystem = {
  open: (path, flags, mode) => open(path, flags, mode),
  readFile: (path) => readFile(path),
  rename,
  remove: (path) => rm(path, { force: true }),
  names: (folder) => readdir(folder),
  makeFolder: async (path) => (await mkdir(path, { recursive: true })) !== undefined,
};

/** Closes the file whatever happens; a failed close counts, as some systems report a full disk there. */
export async function withFile(file: OpenFile, use: (file: OpenFile) => Promise<void>): Promise<void> {
  try {
    await use(file);
  } catch (error) {
    await file.close().catch(() => undefined);
    throw error;
  }
  await file.close();
}
