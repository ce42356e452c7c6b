// Compiles packages/kernels/assembly to two WebAssembly modules, if its sources, this script or the compiler changed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../packages/kernels/', import.meta.url));
const compiler = join(folder, 'node_modules/assemblyscript');
const modules = { 'assembly/index.ts': 'dist/kernels.wasm', 'assembly/vectors.ts': 'dist/vectors.wasm' };
const stampFile = join(folder, 'dist/kernels.stamp');
// The kernels' memory is tfjs's, so the module must not bring static data, a runtime, or a message for a failed assertion.
// Warning 112 is about vectors that cross over to JavaScript, which none does.
const options =
  '--enable simd --runtime stub --importMemory --noAssert --use abort= -O3 --disableWarning 112'.split(' ');

const stamp = stampOfSources();
const isBuilt = [...Object.values(modules), 'dist/kernels.stamp'].every((name) =>
  existsSync(join(folder, name)),
);
if (!isBuilt || readFileSync(stampFile, 'utf8') !== stamp) build();

function build() {
  mkdirSync(join(folder, 'dist'), { recursive: true });
  for (const [source, output] of Object.entries(modules)) {
    const args = [join(compiler, 'bin/asc.js'), source, ...options, '-o', output];
    const { status } = spawnSync(process.execPath, args, { cwd: folder, stdio: 'inherit' });
    if (status !== 0) process.exit(status ?? 1);
  }
  writeFileSync(stampFile, stamp);
}

function stampOfSources() {
  const sources = readdirSync(join(folder, 'assembly'))
    .sort()
    .map((name) => join(folder, 'assembly', name));
  const hash = createHash('sha256');
  for (const file of [...sources, join(compiler, 'package.json'), fileURLToPath(import.meta.url)]) {
    hash.update(`${file.slice(folder.length)}\0`).update(readFileSync(file));
  }
  return hash.digest('hex');
}
