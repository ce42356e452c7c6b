import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GradwireError } from '@gradwire/errors';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { linkWheelLibrary } from './link-library.ts';
import { runCommand } from './run-command.ts';
import { bindingPath } from './tfjs-node-package.ts';
import { prepareWheelLibrary } from './wheel-library.ts';

let folder: string;
const isLinux = process.platform === 'linux' && process.arch === 'x64';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gradwire-native-'));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

/** A program that answers as the script says. */
async function program(name: string, script: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

async function failure(signal?: AbortSignal): Promise<GradwireError> {
  const options = { packageFolder: folder, cacheDirectory: join(folder, 'cache'), signal, onLine: () => {} };
  const error = await prepareWheelLibrary(options).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(GradwireError);
  return error as GradwireError;
}

test.runIf(isLinux)('a machine without a C++ compiler is told which package to install', async () => {
  vi.stubEnv('PATH', folder);
  vi.stubEnv('CXX', '');
  const error = await failure();
  expect(error.code).toBe('BACKEND_UNAVAILABLE');
  expect(error.message).toContain('a C++ compiler was not found');
  expect(error.hint).toContain('g++');
});

test.runIf(isLinux)('a machine with Python but no pip is told which package to install', async () => {
  vi.stubEnv('CXX', await program('cxx', 'exit 0'));
  await program('python3', 'echo "No module named pip" >&2; exit 1');
  vi.stubEnv('PATH', folder);
  const error = await failure();
  expect(error.message).toContain('Python with pip was not found');
  expect(error.message).toContain('ended with status 1');
  expect(error.hint).toContain('python3-pip');
});

test.runIf(isLinux)('a failed download shows what pip said and leaves nothing behind', async () => {
  vi.stubEnv('CXX', await program('cxx', 'exit 0'));
  vi.stubEnv(
    'PYTHON',
    await program('py', '[ "$3" = --version ] && exit 0; echo "no route to the index" >&2; exit 1'),
  );
  const error = await failure();
  expect(error.message).toContain('no route to the index');
  expect(error.hint).toContain('PIP_INDEX_URL');
  expect(await readdir(join(folder, 'cache', 'native'))).toEqual([]);
});

test.runIf(isLinux)('an installation can be stopped while it downloads', async () => {
  vi.stubEnv('CXX', await program('cxx', 'exit 0'));
  vi.stubEnv('PYTHON', await program('py', '[ "$3" = --version ] && exit 0; exec sleep 60'));
  const error = await failure(AbortSignal.timeout(500));
  expect(error.code).toBe('CANCELLED');
  expect(await readdir(join(folder, 'cache', 'native'))).toEqual([]);
});

test.runIf(process.platform !== 'linux' || process.arch !== 'x64')('other platforms are named', async () => {
  expect((await failure()).message).toContain(`${process.platform} ${process.arch}`);
});

test('a prepared library is linked where tfjs-node looks for it, also a second time', async () => {
  const library = join(folder, 'library');
  await mkdir(join(library, 'lib'), { recursive: true });
  await mkdir(join(library, 'include'));
  for (const name of ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2', 'tfjs_binding.node']) {
    await writeFile(join(library, 'lib', name), name);
  }
  const target = join(folder, 'package');
  // A library that the package's own installer left: real files instead of links.
  await mkdir(join(target, 'deps', 'lib'), { recursive: true });
  await writeFile(join(target, 'deps', 'lib', 'libtensorflow.so.2.9.1'), 'old');
  for (let round = 0; round < 2; round++) await linkWheelLibrary(target, library);
  expect(await readFile(bindingPath(target), 'utf8')).toBe('tfjs_binding.node');
  expect((await readdir(join(target, 'deps', 'lib'))).sort()).toEqual([
    'libtensorflow.so',
    'libtensorflow.so.2',
    'libtensorflow_cc.so.2',
    'libtensorflow_framework.so',
    'libtensorflow_framework.so.2',
  ]);
  expect(await readFile(join(target, 'deps', 'lib', 'libtensorflow.so'), 'utf8')).toBe(
    'libtensorflow_cc.so.2',
  );
  expect((await lstat(join(target, 'deps', 'include'))).isSymbolicLink()).toBe(true);
  expect(await readlink(join(target, 'deps', 'include'))).toBe(join(library, 'include'));
});

test('a command that is missing, fails or runs too long is a value that says so', async () => {
  expect(await runCommand(join(folder, 'none'), [])).toMatchObject({
    ok: false,
    output: expect.stringMatching(/ENOENT/),
  });
  const failed = await runCommand(process.execPath, ['-e', 'console.error("why"); process.exit(3)']);
  expect(failed).toEqual({ ok: false, output: `why\n${process.execPath} ended with status 3` });
  const slow = await runCommand(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { timeoutMs: 300 });
  expect(slow).toEqual({ ok: false, output: `${process.execPath} was ended by SIGTERM` });
});
