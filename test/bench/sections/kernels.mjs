import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { median, medianRatio } from '../measure/statistics.mjs';
import { number, table } from '../measure/table.mjs';

export const title = 'Kernels of the wasm backend';

const script = fileURLToPath(new URL('../contestants/kernels.mjs', import.meta.url));

export function run({ quick, rounds = quick ? 3 : 15 }) {
  const lines = execFileSync(process.execPath, [script, `${rounds}`], { encoding: 'utf8' })
    .trim()
    .split('\n');
  return { unit: 'ms', results: JSON.parse(lines.at(-1)) };
}

export function report({ results }) {
  const rows = results.map(({ title, tfjs, ours }) => [
    title,
    tfjs.length > 0 ? number(median(tfjs), 2) : 'missing',
    number(median(ours), 2),
    tfjs.length > 0 ? number(medianRatio(ours, tfjs), 2) : '',
  ]);
  return [
    'Milliseconds a call for the layers of `mnist-cnn`, 128 samples, one core; as tfjs brings them and as `@gradwire/kernels` replaces them.',
    table([['kernel', 'tfjs', 'ours', 'ratio'], ...rows]),
  ].join('\n\n');
}
