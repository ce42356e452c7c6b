// Synchronous training, local SGD and DiLoCo after equal samples: `node test/bench/strategies.mjs [epochs] [seed …]`.
// Prints a Markdown table. GRADWIRE_RECIPE names the recipe (default mnist-cnn); VARIANTS picks rows, as in `diloco-32 local-sgd-32`.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../../apps/cli/bin/gradwire.js', import.meta.url));
const [epochs = '1', ...given] = process.argv.slice(2);
const recipe = process.env.GRADWIRE_RECIPE ?? 'mnist-cnn';
const seeds = given.length > 0 ? given : ['1', '2', '3'];
const variants = (process.env.VARIANTS ?? 'synchronous diloco-32 diloco-64 diloco-128 local-sgd-32').split(
  ' ',
);
const folder = mkdtempSync(join(tmpdir(), 'gradwire-strategies-'));

console.log('| strategy | steps | weights sent to a worker | test accuracy after the last epoch | mean |');
console.log('| --- | --- | --- | --- | --- |');
for (const variant of variants) {
  const runs = seeds.map((seed) => run(variant, seed));
  const accuracies = runs.map(({ testAccuracy }) => testAccuracy);
  const mean = accuracies.reduce((sum, value) => sum + value, 0) / runs.length;
  const { steps } = runs[0];
  const megabytes = (steps * runs[0].weightBytes) / 1e6;
  const cells = [
    variant,
    steps,
    `${Math.round(megabytes)} MB`,
    accuracies.map(percent).join(', '),
    percent(mean),
  ];
  console.log(`| ${cells.join(' | ')} |`);
}
rmSync(folder, { recursive: true });

function run(variant, seed) {
  const [, strategy, localSteps] = /^(.*?)(?:-(\d+))?$/.exec(variant);
  const args = ['train', '--json', '--recipe', recipe, '--workers', '1', '--epochs', epochs, '--seed', seed];
  args.push('--run-dir', folder, '--strategy', strategy);
  if (localSteps !== undefined) args.push('--local-steps', localSteps);
  execFileSync(process.execPath, [bin, ...args], { maxBuffer: 2 ** 28, stdio: ['ignore', 'pipe', 'ignore'] });
  const { testAccuracy, steps } = JSON.parse(readFileSync(join(folder, 'latest', 'summary.json'), 'utf8'));
  const manifest = JSON.parse(readFileSync(join(folder, 'latest', 'model', 'model.json'), 'utf8'));
  const shapes = manifest.weightsManifest.flatMap(({ weights }) => weights.map(({ shape }) => shape));
  const parameters = shapes.reduce(
    (sum, shape) => sum + shape.reduce((product, side) => product * side, 1),
    0,
  );
  return { testAccuracy, steps, weightBytes: 4 * parameters };
}

function percent(share) {
  return `${(share * 100).toFixed(2)} %`;
}
