import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { disk, type FileSystem, type OpenFile } from './file-system.ts';
import { writeFileWhole } from './write-file-whole.ts';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gradwire-write-'));
  path = join(folder, 'weights.bin');
});
afterEach(() => rm(folder, { recursive: true }));

const old = 'the good old content';
const fresh = new Uint8Array(700_000).map((_, index) => index * 31);

/** Sets the largest file this process may write (the soft limit). */
const limit = (bytes: string): Buffer =>
  execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:`], { stdio: 'ignore' });

test('every byte of any view is written, and a text as UTF-8', async () => {
  const values = Float32Array.from({ length: 1000 }, (_, index) => index / 7);
  await writeFileWhole(path, values.subarray(1));
  expect(await readFile(path)).toEqual(Buffer.from(values.buffer, 4));
  await writeFileWhole(path, 'é');
  expect(await readFile(path, 'utf8')).toBe('é');
  expect(await readdir(folder)).toEqual(['weights.bin']);
});

test('an empty file is written', async () => {
  await writeFileWhole(path, '');
  expect(await readFile(path)).toHaveLength(0);
});

/** A disk on which the n-th operation fails, and on which a write takes at most `most` bytes. */
function failingDisk(n: number, most = Infinity): { files: FileSystem; calls: string[] } {
  const calls: string[] = [];
  const run = <Result>(name: string, operation: () => Promise<Result>): Promise<Result> => {
    calls.push(name);
    return calls.length === n ? Promise.reject(new Error(`EIO at ${name}`)) : operation();
  };
  const wrap = (file: OpenFile): OpenFile => ({
    truncate: (bytes) => file.truncate(bytes),
    datasync: () => file.datasync(),
    write: (bytes, offset, length) => run('write', () => file.write(bytes, offset, Math.min(length, most))),
    read: (bytes, offset, length) => run('read', () => file.read(bytes, offset, length)),
    sync: () => run('sync', () => file.sync()),
    // A failed close still gives the descriptor back.
    close: () => file.close().then(() => run('close', () => Promise.resolve())),
  });
  const files: FileSystem = {
    ...disk,
    open: (name, flags) => run('open', async () => wrap(await disk.open(name, flags))),
    rename: (from, to) => run('rename', () => disk.rename(from, to)),
  };
  return { files, calls };
}

test('whichever operation fails, the file is whole, old or new, and nothing is left behind', async () => {
  let failures = 0;
  for (let n = 1; ; n++) {
    await writeFile(path, old);
    const { files, calls } = failingDisk(n, 300_000);
    const error = await writeFileWhole(path, fresh, { files }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    const content = await readFile(path);
    const renamed = calls.indexOf('rename') !== -1 && calls[n - 1] !== 'rename';
    expect(content.equals(renamed ? fresh : Buffer.from(old))).toBe(true);
    expect(await readdir(folder)).toEqual(['weights.bin']);
    if (!error) break;
    failures++;
    expect(error).toMatchObject({ code: 'FILE_WRITE_FAILED', message: expect.stringContaining(path) });
    // A failed sync is final: the next operation on this file is its close.
    if (calls[n - 1] === 'sync') expect(calls.slice(n)).toEqual(['close']);
  }
  // open, 3 writes, sync, close; open, 4 reads, close; rename; open, sync, close
  expect(failures).toBe(16);
});

test('short writes are continued', async () => {
  await writeFileWhole(path, fresh, failingDisk(0, 65_537));
  expect((await readFile(path)).equals(fresh)).toBe(true);
});

test('a disk that takes nothing does not hang the writer', async () => {
  await expect(writeFileWhole(path, 'x', failingDisk(0, 0))).rejects.toThrow(/took 0 of 1 bytes/);
});

test('bytes that read back otherwise are not renamed over the good file', async () => {
  await writeFile(path, old);
  const { files } = failingDisk(0);
  const forgetful: FileSystem = {
    ...files,
    async open(name, flags) {
      const file = await files.open(name, flags);
      const zeros = (bytes: Uint8Array, offset: number, length: number) =>
        file.write(new Uint8Array(bytes.length), offset, length);
      return { ...file, write: zeros };
    },
  };
  await expect(writeFileWhole(path, fresh, { files: forgetful })).rejects.toThrow(/differ/);
  expect(await readFile(path, 'utf8')).toBe(old);
});

test('scenario 3: a file size limit (a real short write) leaves the old file', async ({ skip }) => {
  await writeFile(path, old);
  try {
    limit('100000');
  } catch {
    skip('prlimit is not available');
  }
  try {
    await expect(writeFileWhole(path, fresh)).rejects.toMatchObject({ code: 'FILE_WRITE_FAILED' });
  } finally {
    limit('unlimited');
  }
  expect(await readFile(path, 'utf8')).toBe(old);
  expect(await readdir(folder)).toEqual(['weights.bin']);
});

/** A small disk of its own, where that is allowed (as root on Linux). */
async function mountDisk(options: string): Promise<{ path: string; unmount: () => void } | undefined> {
  const small = join(folder, 'small');
  await mkdir(small);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', small], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  return { path: small, unmount: () => execFileSync('umount', [small]) };
}

test('scenario 3: a full disk leaves the old file', async ({ skip }) => {
  const small = await mountDisk('size=256k');
  if (!small) return skip('mounting a small disk is not allowed here');
  try {
    path = join(small.path, 'a');
    await writeFile(path, old);
    await expect(writeFileWhole(path, fresh)).rejects.toThrow(/ENOSPC/);
    expect(await readFile(path, 'utf8')).toBe(old);
    expect(await readdir(small.path)).toEqual(['a']);
  } finally {
    small.unmount();
  }
});

const refused = { code: 'FILE_WRITE_FAILED', hint: expect.stringContaining('permissions') };

test('a read-only disk is told', async ({ skip }) => {
  const small = await mountDisk('size=256k,ro');
  if (!small) return skip('mounting a disk is not allowed here');
  try {
    await expect(writeFileWhole(join(small.path, 'a'), 'x')).rejects.toMatchObject(refused);
  } finally {
    small.unmount();
  }
});

test('a directory without write permission is told', async ({ skip }) => {
  if (process.getuid?.() === 0 || process.platform === 'win32') skip('root may write anywhere');
  await chmod(folder, 0o555);
  await expect(writeFileWhole(path, 'x')).rejects.toMatchObject(refused);
  await chmod(folder, 0o755);
});

test('a directory that does not exist is named', async () => {
  const absent = join(folder, 'absent', 'a');
  await expect(writeFileWhole(absent, 'x')).rejects.toMatchObject({
    code: 'FILE_WRITE_FAILED',
    message: expect.stringContaining(absent),
  });
});
