// `npm run bench`: the benchmarks that take minutes, one after the other. `npm run bench -- NAME [ARGS]` runs one.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const benchmarks = {
  gradient: 'one gradient on one core, per backend, against stock tfjs-node',
  kernels: 'each kernel of the wasm backend, against the one it replaces',
  loop: 'the whole loop: samples a second, share of the cores kept busy, time to the first step',
  accuracy: 'whole runs of a recipe, by default mnist-cnn on three seeds (many minutes; only by name)',
};
const [name, ...args] = process.argv.slice(2);
if (name !== undefined && !(name in benchmarks)) {
  console.error(`Unknown benchmark "${name}". Known are:`);
  for (const [known, what] of Object.entries(benchmarks)) console.error(`  ${known.padEnd(9)} ${what}`);
  process.exit(2);
}
for (const each of name === undefined ? ['gradient', 'kernels', 'loop'] : [name]) {
  console.log(`\n## ${each}: ${benchmarks[each]}\n`);
  const script = fileURLToPath(new URL(`${each}.mjs`, import.meta.url));
  const { status } = spawnSync(process.execPath, [script, ...args], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
