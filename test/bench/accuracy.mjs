// The article's network and settings, whole runs: `npm run bench -- accuracy [backend] [seed …]`.
// Prints a Markdown table. About five to ten minutes a seed on two cores.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../../apps/cli/bin/gradwire.js', import.meta.url));
const [backend = 'wasm', ...given] = process.argv.slice(2);
const seeds = given.length > 0 ? given : ['1', '2', '3'];
const folder = mkdtempSync(join(tmpdir(), 'gradwire-accuracy-'));
const rows = seeds.map(run);
rmSync(folder, { recursive: true });

console.log(
  '| backend | seed | after epoch 1 | final test accuracy | final test loss | samples/s | minutes | weights (SHA-256) |',
);
console.log('| --- | --- | --- | --- | --- | --- | --- | --- |');
for (const row of rows) console.log(`| ${row.join(' | ')} |`);

function run(seed) {
  const args = [
    'train',
    '--json',
    '--recipe',
    'mnist-cnn',
    '--epochs',
    '10',
    '--seed',
    seed,
    '--backend',
    backend,
  ];
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
