import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startCluster } from '../measure/cluster.mjs';
import { readProfiles } from '../measure/cpu-profile.mjs';
import { arrangements, startGradwire, stepDone, withFolder } from '../measure/gradwire.mjs';
import { number, percent, table, targets } from '../measure/table.mjs';

export const title = "Where a step's time goes";

const recipe = ['--recipe', 'mnist-cnn'];

export async function run({ quick, only, say }) {
  const results = [];
  for (const { name, count, args } of arrangements(quick ? [2] : [1, 2]).filter((each) =>
    only.test(each.name),
  )) {
    for (const batch of [128, 512]) {
      const warmup = Math.ceil(5_120 / batch);
      const steps = (quick ? 7_680 : 38_400) / batch;
      const task = {
        count,
        args,
        warmup,
        steps,
        length: ['--batch-size', `${batch}`, '--steps', `${warmup + steps}`],
      };
      const { wallMs, threads } = await withFolder((folder) => profile(task, folder));
      results.push({ name, count, batch, steps, wallMs, threads });
      say(`${name}, batch ${batch}: ${number(wallMs / steps, 2)} ms a step`);
    }
  }
  return { unit: 'ms', results };
}

/** Runs with V8's sampling profiler in every thread, and splits the time of the steps after the warm-up. */
async function profile({ count, args, warmup, steps, length }, folder) {
  const profiles = join(folder, 'profiles');
  await mkdir(profiles);
  const nodeArgs = ['--cpu-prof', `--cpu-prof-dir=${profiles}`];
  const [, , ...workerArgs] = args;
  const { run, finish } =
    args[0] === '--workers'
      ? await separately({ count, length, workerArgs, nodeArgs, folder })
      : together({ args: [...args, ...length], nodeArgs, folder });
  const offsetUs = Number(process.hrtime.bigint() / 1000n) - performance.now() * 1000;
  const from = await stepDone(run, warmup);
  const to = await stepDone(run, warmup + steps);
  await finish();
  const [fromUs, toUs] = [from, to].map(({ atMs }) => atMs * 1000 + offsetUs);
  return { wallMs: to.atMs - from.atMs, threads: readProfiles(profiles, { fromUs, toUs }) };
}

/** `train --workers` starts its workers without our flags for node: here everybody is started one by one. */
async function separately({ count, length, workerArgs, nodeArgs, folder }) {
  const args = [...recipe, ...length];
  const cluster = await startCluster({ args, workers: count, workerArgs, folder, nodeArgs });
  return { run: cluster.coordinator, finish: cluster.finish };
}

function together({ args, nodeArgs, folder }) {
  const run = startGradwire(['train', ...recipe, ...args, '--run-dir', folder], { nodeArgs });
  const finish = async () => {
    for await (const _ of run.lines);
  };
  return { run, finish };
}

/** Share of their time in which the computing threads did something else. */
function restShare({ threads, count, wallMs }) {
  const computing = threads.reduce((sum, times) => sum + (times.computing ?? 0), 0);
  return 1 - computing / (count * wallMs);
}

export function report({ results }) {
  const find = (batch) =>
    results
      .filter((each) => each.batch === batch && each.count === 2)
      .sort((a, b) => restShare(a) - restShare(b))[0];
  const aim = (batch, limit) => ({
    what: `not computing, ${find(batch)?.name}, batch ${batch}, %`,
    limit,
    found: find(batch) && restShare(find(batch)) * 100,
    most: true,
    decimals: 1,
  });
  return [
    "A step's wall time, and the share of it in which the computing threads did not compute (waiting for others included). V8's sampling profiler runs in every thread.",
    table([
      ['arrangement', 'batch', 'ms a step', 'not computing'],
      ...results.map((each) => [
        each.name,
        each.batch,
        number(each.wallMs / each.steps, 2),
        percent(restShare(each)),
      ]),
    ]),
    'Milliseconds a step, by thread; the first does not compute if it has no such time:',
    table(splitRows(results)),
    targets([aim(128, 12), aim(512, 6)]),
  ].join('\n\n');
}

/** A row for each thread, the coordinator's before the others; phases in order of their total. */
function splitRows(results) {
  const totals = new Map();
  for (const { threads } of results)
    for (const times of threads)
      for (const [phase, ms] of Object.entries(times)) totals.set(phase, (totals.get(phase) ?? 0) + ms);
  const phases = [...totals].sort((a, b) => b[1] - a[1]).map(([phase]) => phase);
  const rows = results.flatMap(({ name, batch, steps, threads }) =>
    threads
      .toSorted((a, b) => (a.computing ?? 0) - (b.computing ?? 0))
      .map((times) => [name, batch, ...phases.map((phase) => number((times[phase] ?? 0) / steps, 2))]),
  );
  return [['arrangement', 'batch', ...phases], ...rows];
}
