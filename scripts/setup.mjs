// Installs and builds what a clean clone lacks, and does nothing where all is up to date.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const stampFile = new URL('../node_modules/.gradwire-setup', import.meta.url);

/** Brings the clone into a state in which the command and the tests can run. Ends the process if that fails. */
export function setUp() {
  requireNode();
  install();
  run('Building', process.execPath, ['node_modules/typescript/bin/tsc', '-b']);
  run('Building the kernels', process.execPath, ['scripts/build-kernels.mjs']);
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  fail(
    `Gradwire needs Node 20.19 or later, this is ${process.versions.node}. Install a newer Node from nodejs.org.`,
  );
}

function install() {
  const { packageManager } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const lock = readFileSync(new URL('../pnpm-lock.yaml', import.meta.url));
  const stamp = createHash('sha256').update(lock).update(packageManager).digest('hex');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  console.error('Installing packages (once; about 250 MB) …');
  run(
    'Installing',
    npx(),
    ['--yes', packageManager, 'install', '--frozen-lockfile', '--reporter=append-only'],
    { isQuiet: true },
  );
  writeFileSync(stampFile, stamp);
}

/** The npx of the npm that runs us: `npx.cmd` cannot be spawned without a shell on Windows. */
function npx() {
  return process.platform === 'win32' ? 'npx.cmd' : 'npx';
}

/** Runs a program; what it prints is talk, so it goes to stderr: if `isQuiet`, only where it fails. */
function run(what, program, args, { isQuiet = false } = {}) {
  const { status, error, stdout, stderr } = spawnSync(program, args, {
    cwd: root,
    stdio: isQuiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', 2, 2],
    maxBuffer: 2 ** 26,
    shell: program.endsWith('.cmd'),
  });
  if (status === 0) return;
  if (isQuiet) process.stderr.write(`${stdout ?? ''}${stderr ?? ''}`);
  fail(`${what} failed (${program} ${args.join(' ')})${error ? `: ${error.message}` : ''}.`);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
