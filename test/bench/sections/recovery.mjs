import { nextLine, startGradwire, withFolder } from '../measure/gradwire.mjs';
import { median } from '../measure/statistics.mjs';
import { number, table } from '../measure/table.mjs';

export const title = 'Recovery';

const workers = 3;

export async function run({ quick, rounds = quick ? 3 : 20, say }) {
  const results = [];
  for (let round = 1; round <= rounds; round++) {
    results.push(await withFolder((folder) => killOne(folder, round)));
    const { pauseMs, stepMs } = results.at(-1);
    say(`round ${round} of ${rounds}: a pause of ${number(pauseMs)} ms, a step takes ${number(stepMs)} ms`);
  }
  return { unit: 'ms', results };
}

/** Kills one of the workers in the middle of a run, and finds the longest time between two commits around it. */
async function killOne(folder, round) {
  const args = ['train', '--recipe', 'mnist-cnn', '--workers', `${workers}`, '--steps', '400'];
  const run = startGradwire([...args, '--run-dir', folder]);
  const name = `worker-${1 + (round % workers)}`;
  const { pid } = await nextLine(run, ({ event, name: started }) => event === 'started' && started === name);
  // Once it contributes; the step at which it dies differs from round to round.
  const last = 30 + round;
  const commits = [];
  const commit = async () => {
    const line = await nextLine(run, ({ event }) => event === 'step');
    commits.push(line.atMs);
    return line.record;
  };
  for (let contributed = 0; contributed < last; ) {
    const { contributions } = await commit();
    if (contributions.some(({ worker }) => worker === name)) contributed += 1;
  }
  process.kill(pid, 'SIGKILL');
  const killed = commits.length;
  while (commits.length < killed + 30) await commit();
  run.child.kill('SIGTERM');
  for await (const _ of run.lines);
  const gaps = commits.slice(1).map((atMs, i) => atMs - commits[i]);
  return { stepMs: median(gaps.slice(0, killed - 1)), pauseMs: Math.max(...gaps.slice(killed - 1)) };
}

export function report({ results }) {
  const pauses = results.map(({ pauseMs }) => pauseMs);
  return [
    `One of ${workers} workers of \`mnist-cnn\` is killed (\`SIGKILL\`) in the middle of a step: the longest time between two commits afterwards.`,
    table([
      ['runs', 'a step before, median ms', 'pause, median ms', 'pause, worst ms'],
      [
        results.length,
        number(median(results.map(({ stepMs }) => stepMs))),
        number(median(pauses)),
        number(Math.max(...pauses)),
      ],
    ]),
  ].join('\n\n');
}
