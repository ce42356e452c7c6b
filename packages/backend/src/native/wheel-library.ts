import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { GradwireError } from '@gradwire/errors';
import { findProgram } from './find-program.ts';
import { runCommand } from './run-command.ts';

/** The release whose C library tfjs-node 4.22 was measured to work with. */
export const wheel = { name: 'tensorflow-cpu', version: '2.15.1', platform: 'manylinux2014_x86_64' } as const;

/** The wheel's two libraries, by the names the binding and they themselves ask for. */
export const libraryFiles = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'] as const;

/** Inputs of {@link prepareWheelLibrary}. */
export interface WheelLibraryOptions {
  packageFolder: string;
  cacheDirectory: string;
  signal: AbortSignal | undefined;
  onLine: (line: string) => void;
}

const neededBytes = 1.2e9;

/**
 * Fetches TensorFlow's library from PyPI, compiles tfjs-node's binding against it, and resolves to the folder with
 * `lib` and `include`. The folder appears whole or not at all; when it is there already it is used as it is.
 *
 * @throws GradwireError `BACKEND_UNAVAILABLE` naming the missing platform, program, space or file.
 */
export async function prepareWheelLibrary(options: WheelLibraryOptions): Promise<string> {
  const { cacheDirectory, onLine } = options;
  requirePlatform();
  const target = join(cacheDirectory, 'native', `tensorflow-${wheel.version}-linux-x64`);
  if (existsSync(join(target, 'lib', 'tfjs_binding.node'))) {
    onLine(`using ${target}`);
    return target;
  }
  const compiler = await findProgram([process.env['CXX'], 'g++', 'c++', 'clang++'], ['--version'], {
    what: 'a C++ compiler',
    hint: 'Install one (Debian, Ubuntu: apt-get install g++; Fedora: dnf install gcc-c++) or set CXX.',
  });
  const python = await findProgram([process.env['PYTHON'], 'python3', 'python'], ['-m', 'pip', '--version'], {
    what: 'Python with pip',
    hint: 'Install it (Debian, Ubuntu: apt-get install python3-pip; Fedora: dnf install python3-pip) or set PYTHON.',
  });
  const partial = `${target}.partial-${process.pid}`;
  await mkdir(join(partial, 'lib'), { recursive: true });
  try {
    await requireSpace(partial);
    await fetchWheel(python, partial, options);
    await compileBinding(compiler, partial, options);
    await rm(target, { recursive: true, force: true });
    await rename(partial, target);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return target;
}

function requirePlatform(): void {
  const { platform, arch } = process;
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  const libc = report.header?.glibcVersionRuntime;
  if (platform === 'linux' && arch === 'x64' && libc !== undefined) return;
  const found =
    platform === 'linux' && libc === undefined ? `${platform} ${arch} without glibc` : `${platform} ${arch}`;
  throw new GradwireError(
    'BACKEND_UNAVAILABLE',
    `no TensorFlow wheel for ${found}: expected linux x64 with glibc`,
    {
      hint: 'Use --backend wasm: it runs everywhere.',
    },
  );
}

async function requireSpace(folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= neededBytes) return;
  throw new GradwireError(
    'BACKEND_UNAVAILABLE',
    `${folder}: ${megabytes(neededBytes)} of free space needed, found ${megabytes(bavail * bsize)}`,
    { hint: 'Free some space, or set the cache directory to another disk (XDG_CACHE_HOME).' },
  );
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}

// Only the libraries and the C headers; the rest of the wheel (Python code) is not needed.
const extractScript = `
import os, sys, zipfile
source, target, libraries = sys.argv[1], sys.argv[2], sys.argv[3:]
headers = ('tensorflow/c/', 'tensorflow/core/platform/', 'tsl/c/', 'tsl/platform/')
with zipfile.ZipFile(source) as wheel:
    for name in wheel.namelist():
        part = name.removeprefix('tensorflow/')
        if part in libraries:
            place = os.path.join(target, 'lib', part)
        elif part.startswith('include/') and part.endswith('.h') and part[8:].startswith(headers):
            place = os.path.join(target, part)
        else:
            continue
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with wheel.open(name) as source_file, open(place, 'wb') as file:
            while block := source_file.read(1 << 20):
                file.write(block)
`;

/** Downloads the wheel with pip (which checks its sum, and knows mirrors and proxies) and unpacks what is needed. */
async function fetchWheel(python: string, folder: string, options: WheelLibraryOptions): Promise<void> {
  const { signal, onLine } = options;
  const requirement = `${wheel.name}==${wheel.version}`;
  onLine(`downloading ${requirement} from PyPI (207 MB)`);
  // The wheel of any Python version will do: only its C library is used. So the version is fixed, not this Python's.
  const args = ['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--python-version', '3.11'];
  args.push(
    '--platform',
    wheel.platform,
    '--disable-pip-version-check',
    '--no-input',
    '--progress-bar',
    'off',
  );
  args.push('--no-cache-dir', '--dest', folder, requirement);
  const download = await runCommand(python, args, { onLine, signal });
  if (!download.ok) {
    throw new GradwireError(
      'BACKEND_UNAVAILABLE',
      `pip could not download ${requirement}:\n${download.output}`,
      {
        hint: 'Check the network, or pip’s index (PIP_INDEX_URL, PIP_FIND_LINKS), and run the command again.',
      },
    );
  }
  const file = (await readdir(folder)).find((name) => name.endsWith('.whl'));
  onLine(`unpacking ${file}`);
  const path = join(folder, file ?? '');
  const extract = await runCommand(python, ['-c', extractScript, path, folder, ...libraryFiles], {
    onLine,
    signal,
  });
  if (!extract.ok)
    throw new GradwireError('BACKEND_UNAVAILABLE', `${file} could not be unpacked:\n${extract.output}`);
  await rm(path);
}

const require = createRequire(import.meta.url);

/**
 * Compiles tfjs-node's binding with one compiler call. The Node-API headers come from the npm package
 * `node-api-headers`, so neither node-gyp nor the headers of this Node version are needed.
 */
async function compileBinding(compiler: string, folder: string, options: WheelLibraryOptions): Promise<void> {
  const { packageFolder, signal, onLine } = options;
  onLine('compiling the binding');
  const headers = join(dirname(require.resolve('node-api-headers/package.json')), 'include');
  const sources = ['tfjs_backend.cc', 'tfjs_binding.cc'].map((name) => join(packageFolder, 'binding', name));
  const libraries = libraryFiles.map((name) => join(folder, 'lib', name));
  const includes = [packageFolder, join(folder, 'include'), headers].flatMap((path) => ['-I', path]);
  const output = join(folder, 'lib', 'tfjs_binding.node');
  // $ORIGIN: the binding finds the libraries beside itself, wherever the cache is moved to.
  const args = ['-shared', '-fPIC', '-O2', '-std=c++17', '-DNAPI_VERSION=8', ...includes, ...sources];
  args.push('-o', `${output}.new`, ...libraries, '-Wl,-rpath,$ORIGIN');
  const result = await runCommand(compiler, args, { onLine, signal });
  if (!result.ok) {
    throw new GradwireError('BACKEND_UNAVAILABLE', `the binding could not be compiled:\n${result.output}`, {
      hint: 'A C++17 compiler with its standard library is needed (Debian, Ubuntu: apt-get install g++).',
    });
  }
  await rename(`${output}.new`, output);
  await writeFile(
    join(folder, 'README.txt'),
    `${wheel.name} ${wheel.version}, unpacked for tfjs-node by Gradwire\n`,
  );
}
