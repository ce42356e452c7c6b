/**
 * `npm run bench -- attack`: the time of a step and the coordinator's memory, calm and under attack, in turn within one
 * run: 200 connections without a token, 50 with garbage, 20 that say nothing; each comes back a second after it was
 * dropped.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { nextLine, startGradwire, withFolder } from './measure/gradwire.mjs';
import { describeMachine } from './measure/machine.mjs';
import { median } from './measure/statistics.mjs';
import { number, table } from './measure/table.mjs';

const attackers = fileURLToPath(new URL('../harness/attackers.mjs', import.meta.url));
const counts = { strangers: 200, garbage: 50, silent: 20 };
const rounds = Number(process.argv[2] ?? 10);
const phaseSteps = 60;

const result = await withFolder(measure);
const { cpu, cores, system } = describeMachine();
console.log(`${cpu}, ${cores} cores, ${system}\n`);
console.log(report(result));

async function measure(folder) {
  const token = randomBytes(12).toString('hex');
  const args = [
    '--recipe',
    'mnist-cnn',
    '--epochs',
    '1000',
    '--port',
    '0',
    '--token',
    token,
    '--run-dir',
    folder,
  ];
  const coordinator = startGradwire(['coordinator', ...args]);
  const { port } = await nextLine(coordinator, ({ event }) => event === 'listening');
  const worker = startGradwire(['worker', `ws://127.0.0.1:${port}#${token}`, '--threads', '1']);
  const memoryMiB = () => residentMiB(coordinator.child.pid);
  const step = async () => (await nextLine(coordinator, ({ event }) => event === 'step')).atMs;
  const phase = async () => {
    const times = [await step()];
    while (times.length <= phaseSteps) times.push(await step());
    return { stepMs: median(times.slice(1).map((atMs, i) => atMs - times[i])), memoryMiB: memoryMiB() };
  };
  for (let warmup = 0; warmup < phaseSteps; warmup += 1) await step();
  const found = { calm: [], attacked: [], dropped: { strangers: 0, garbage: 0, silent: 0 }, mostOpen: 0 };
  for (let round = 1; round <= rounds; round += 1) {
    found.calm.push(await phase());
    const attack = await startAttack({ port, token, ...counts });
    found.attacked.push(await phase());
    const { dropped, mostOpen } = await attack.stop();
    for (const kind of Object.keys(dropped)) found.dropped[kind] += dropped[kind];
    found.mostOpen = Math.max(found.mostOpen, mostOpen);
    const [calm, attacked] = [found.calm.at(-1), found.attacked.at(-1)];
    console.error(
      `round ${round} of ${rounds}: ${number(calm.stepMs)} ms, under attack ${number(attacked.stepMs)} ms`,
    );
  }
  for (const { child } of [worker, coordinator]) child.kill('SIGKILL');
  await Promise.allSettled([worker.ended, coordinator.ended]);
  return found;
}

/** Begins once every kind was dropped at least once, or has been let wait. */
async function startAttack(options) {
  const child = spawn(process.execPath, [attackers, JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let last = { dropped: {}, open: 0 };
  let mostOpen = 0;
  const lines = createInterface({ input: child.stdout }).on('line', (line) => {
    last = JSON.parse(line);
    mostOpen = Math.max(mostOpen, last.open);
  });
  while (!(last.dropped.strangers > 0 && last.dropped.garbage > 0)) await once(lines, 'line');
  return {
    async stop() {
      child.stdin.end();
      await once(child, 'exit');
      return { dropped: last.dropped, mostOpen };
    },
  };
}

/** Resident memory of a process in MiB; NaN where there is no /proc. */
function residentMiB(pid) {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
  } catch {
    return Number.NaN;
  }
}

function report({ calm, attacked, dropped, mostOpen }) {
  const ratios = attacked.map(({ stepMs }, round) => stepMs / calm[round].stepMs);
  return [
    table([
      ['', 'step, median ms', 'memory, median MiB', 'memory, most MiB'],
      ...Object.entries({ calm, 'under attack': attacked }).map(([name, phases]) => [
        name,
        number(median(phases.map(({ stepMs }) => stepMs))),
        number(median(phases.map(({ memoryMiB }) => memoryMiB))),
        number(Math.max(...phases.map(({ memoryMiB }) => memoryMiB))),
      ]),
    ]),
    `Step time under attack over calm, median of ${ratios.length} pairs: ${number(median(ratios), 2)} (${number(Math.min(...ratios), 2)} to ${number(Math.max(...ratios), 2)}).`,
    `Dropped: ${Object.entries(dropped)
      .map(([kind, count]) => `${count} ${kind}`)
      .join(', ')}; at most ${mostOpen} open at once.`,
  ].join('\n\n');
}
