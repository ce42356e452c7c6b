// Whole runs of a recipe, by default the article's: `npm run bench -- accuracy [recipe] [backend] [seed …] [--option …]`.
// What begins with a stroke, and all after it, goes to `gradwire train`. Prints a Markdown table. A run of mnist-cnn takes about five to ten minutes on two cores.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../../apps/cli/bin/gradwire.js', import.meta.url));
const all = process.argv.slice(2);
const firstOption = all.findIndex((arg) => arg.startsWith('-'));
const given = firstOption < 0 ? all : all.slice(0, firstOption);
const options = all.slice(given.length);
const recipe = given.find((arg) => arg.startsWith('mnist-')) ?? 'mnist-cnn';
const backend = given.find((arg) => ['wasm', 'native'].includes(arg)) ?? 'wasm';
const numbers = given.filter((arg) => /^\d+$/.test(arg));
const seeds = numbers.length > 0 ? numbers : ['1', '2', '3'];
const folder = mkdtempSync(join(tmpdir(), 'gradwire-accuracy-'));
const rows = seeds.map(run);
rmSync(folder, { recursive: true });

console.log(
  '| backend | seed | after epoch 1 | final test accuracy | final test loss | samples/s | minutes | weights (SHA-256) |',
);
console.log('| --- | --- | --- | --- | --- | --- | --- | --- |');
for (const row of rows) console.log(`| ${row.join(' | ')} |`);

function run(seed) {
  const args = ['train', '--json', '--recipe', recipe, '--seed', seed, '--backend', backend, ...options];
  const output = execFileSync(process.execPath, [bin, ...args, '--run-dir', folder], {
    maxBuffer: 2 ** 28,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = output
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const [afterOne] = lines.filter(({ event }) => event === 'evaluated');
  const summary = JSON.parse(readFileSync(join(folder, 'latest', 'summary.json'), 'utf8'));
  const { testAccuracy, testLoss, samplesPerSecond, seconds, weightsSha256 } = summary;
  return [
    backend,
    seed,
    percent(afterOne.record.accuracy),
    percent(testAccuracy),
    testLoss.toFixed(4),
    Math.round(samplesPerSecond),
    (seconds / 60).toFixed(1),
    `\`${weightsSha256.slice(0, 16)}…\``,
  ];
}

function percent(share) {
  return `${(share * 100).toFixed(2)} %`;
}
