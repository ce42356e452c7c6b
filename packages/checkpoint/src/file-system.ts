import { open, rename, rm } from 'node:fs/promises';

/** The part of an open file that the writer needs. */
export interface OpenFile {
  write(bytes: Uint8Array, offset: number, length: number): Promise<{ bytesWritten: number }>;
  read(bytes: Uint8Array, offset: number, length: number): Promise<{ bytesRead: number }>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** The disk as the writer sees it, so that tests can make any single operation fail. */
export interface FileSystem {
  open(path: string, flags: 'wx' | 'r'): Promise<OpenFile>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
}

/** The real disk. */
export const disk: FileSystem = {
  open: (path, flags) => open(path, flags),
  rename,
  remove: (path) => rm(path, { force: true }),
};

/** The real disk; new files get these permissions from the first moment. */
export function diskWithMode(mode: number): FileSystem {
  return { ...disk, open: (path, flags) => open(path, flags, mode) };
}

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
