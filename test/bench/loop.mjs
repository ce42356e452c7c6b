// The whole loop: how busy the workers keep the cores, and the time from command to first step.
// Prints JSON on stdout. Linux only: CPU times come from /proc.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../../apps/cli/bin/gradwire.js', import.meta.url));
const steps = 200;
const warmup = 40;
const ticksPerSecond = 100;

const results = [];
for (const backend of process.argv.slice(2).length > 0 ? process.argv.slice(2) : ['wasm', 'native']) {
  for (const workers of [1, 2]) results.push(await measure(backend, workers));
}
console.log(
  JSON.stringify(
    { machine: { cpu: cpus()[0].model, cores: availableParallelism(), node: process.version }, results },
    null,
    2,
  ),
);

async function measure(backend, workers) {
  const folder = await mkdtemp(join(tmpdir(), 'gradwire-bench-'));
  const startMs = performance.now();
  const args = ['train', '--json', '--recipe', 'mnist-cnn', '--steps', String(steps), '--backend', backend];
  const child = spawn(process.execPath, [bin, ...args, '--workers', String(workers), '--run-dir', folder], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const pids = [child.pid];
  let first;
  let from;
  let to;
  for await (const text of createInterface({ input: child.stdout })) {
    const line = JSON.parse(text);
    if (line.event === 'started') pids.push(line.pid);
    if (line.event !== 'step') continue;
    first ??= performance.now() - startMs;
    if (line.record.step === warmup) from = snapshot(pids);
    if (line.record.step === steps) to = snapshot(pids);
  }
  await rm(folder, { recursive: true });
  const seconds = (to.atMs - from.atMs) / 1000;
  const [coordinator, ...computing] = to.cpu.map(
    (ticks, index) => (ticks - from.cpu[index]) / ticksPerSecond,
  );
  const busy = computing.reduce((sum, cpu) => sum + cpu, coordinator);
  return {
    backend,
    workers,
    secondsToFirstStep: round(first / 1000),
    samplesPerSecond: Math.round(((steps - warmup) * 128) / seconds),
    // Share of `workers` cores that the run kept busy, coordinator included.
    busyShare: round(busy / seconds / Math.min(workers, availableParallelism())),
    coordinatorShare: round(coordinator / busy),
    stepMs: round((seconds * 1000) / (steps - warmup)),
  };
}

/** CPU ticks (user and system) of each process so far; Linux counts in hundredths of a second. */
function snapshot(pids) {
  const cpu = pids.map((pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return Number(fields[11]) + Number(fields[12]);
  });
  return { atMs: performance.now(), cpu };
}

function round(value) {
  return Math.round(value * 1000) / 1000;
}
