import { fileURLToPath } from 'node:url';
import { spawn } from 'node:child_process';
import { startLineProcess } from '../measure/line-process.mjs';
import { fitLine, median } from '../measure/statistics.mjs';
import { number, percent, table, targets } from '../measure/table.mjs';

export const title = 'What the coordinator costs';

const shards = 64;
const small = 225_000;
const paced = { parameters: small, workers: 64, stepsPerSecond: 1 };
const cases = [
  ...[1, 2, 4, 8, 16, 32, 64].map((workers) => ({ parameters: small, workers })),
  ...[1, 4, 16].map((workers) => ({ parameters: 5_000_000, workers })),
  ...[1, 4].map((workers) => ({ parameters: 50_000_000, workers })),
  paced,
];
const quickCases = [
  ...[1, 4, 16, 64].map((workers) => ({ parameters: small, workers })),
  { parameters: 5_000_000, workers: 4 },
  paced,
];

export async function run({ quick, rounds = quick ? 2 : 5, say }) {
  const results = [];
  for (const each of quick ? quickCases : cases) {
    const [warmup, steps] = each.parameters > 1e6 || each.stepsPerSecond ? [2, 5] : [20, quick ? 30 : 100];
    const samples = await measure(each, { warmup, steps, rounds });
    const [cpuMs, wallMs, peakMiB] = ['cpuMs', 'wallMs', 'peakMiB'].map((key) =>
      median(samples.map((one) => one[key])),
    );
    results.push({ ...each, samples, cpuMs, wallMs, peakMiB });
    say(`${number(each.parameters)} parameters, ${each.workers} workers: ${number(cpuMs, 2)} ms CPU a step`);
  }
  return { unit: 'ms a step', results };
}

async function measure({ parameters, workers, stepsPerSecond = 0 }, { warmup, steps, rounds }) {
  const host = await startLineProcess(node('coordinator-host.mjs', [parameters, shards]));
  const { program, args } = node('synthetic-workers.mjs', [workers, stepsPerSecond]);
  const clients = spawn(program, args, { stdio: ['pipe', 'inherit', 'inherit'] });
  clients.stdin.write(`${JSON.stringify(host.first.ready)}\n`);
  try {
    await host.ask({ steps: warmup });
    const samples = [];
    for (let round = 0; round < rounds; round++) {
      const { cpuMs, wallMs, steps: done, peakMiB } = await host.ask({ steps });
      samples.push({ cpuMs: cpuMs / done, wallMs: wallMs / done, peakMiB });
    }
    return samples;
  } finally {
    await host.stop();
    clients.stdin.end();
  }
}

function node(script, args) {
  const file = fileURLToPath(new URL(`../contestants/${script}`, import.meta.url));
  return { program: process.execPath, args: [file, ...args.map(String)], env: process.env };
}

export function report({ results }) {
  const rows = results.map(({ parameters, workers, cpuMs, wallMs, peakMiB, stepsPerSecond }) => [
    number(parameters),
    workers,
    stepsPerSecond ? `${stepsPerSecond} step/s` : 'as fast as it goes',
    number(cpuMs, 2),
    number(wallMs, 1),
    percent(cpuMs / wallMs),
    number(peakMiB),
  ]);
  const free = results.filter((each) => each.parameters === small && !each.stepsPerSecond);
  const { slope, intercept } = fitLine(free.map(({ workers, cpuMs }) => [workers, cpuMs]));
  // Of the time that a step should take: a machine that cannot keep the pace must not look better for it.
  const share = results
    .filter(({ stepsPerSecond }) => stepsPerSecond)
    .map(({ cpuMs, stepsPerSecond }) => (cpuMs * stepsPerSecond) / 10)[0];
  return [
    `Synthetic workers, which answer each lease with ready-made gradients, in one other process; ${shards} shards, Adam. CPU time of the coordinator's process, all threads; medians.`,
    table([
      ['parameters', 'workers', 'pace', 'ms CPU a step', 'ms a step', 'of a core', 'peak MiB'],
      ...rows,
    ]),
    `With ${number(small)} parameters, as a line through the points: ${number(slope, 2)} ms a worker plus ${number(intercept, 2)} ms.`,
    targets([
      { what: 'ms CPU a step and worker', limit: 1, found: slope, most: true },
      { what: 'ms CPU a step besides', limit: 1, found: intercept, most: true },
      { what: '64 workers at 1 step/s, % of a core', limit: 25, found: share, most: true, decimals: 1 },
    ]),
  ].join('\n\n');
}
