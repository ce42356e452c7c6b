// `npm run chaos -- [scenarios or a set] [--minutes M] [--seed S] [--steps N] [--batch-size N] [--scale X] [--json]`: harms
// real runs; the final weights must be those of the calm run, and the ledger's audit clean.
import { spawnSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Skipped } from '../bench/measure/alternate.mjs';
import { gradwireBin, hasOption } from '../bench/measure/gradwire.mjs';
import { createLinks } from '../bench/measure/links.mjs';
import { describeMachine } from '../bench/measure/machine.mjs';
import { median } from '../bench/measure/statistics.mjs';
import { number, percent, table } from '../bench/measure/table.mjs';
import { createCables } from './cables.mjs';
import { startCluster } from './cluster.mjs';
import { createNoise } from './noise.mjs';
import { randomOf } from './random.mjs';
import { scenarios, sets } from './scenarios.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
    steps: { type: 'string' },
    'batch-size': { type: 'string' },
    scale: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const set = { names: Object.keys(scenarios), batchSize: 64, steps: 1500, ...sets[positionals[0]] };
const chosen = Object.hasOwn(sets, positionals[0] ?? '') ? [] : positionals;
const unknown = chosen.find((name) => !Object.hasOwn(scenarios, name));
if (unknown !== undefined) {
  const all = [...Object.keys(scenarios), ...Object.keys(sets)];
  console.error(`There is no scenario ${unknown}; there are ${all.join(', ')}.`);
  process.exit(2);
}
const workers = 3;
/** Longest time that a run may take: over the slow link one of 1,500 steps takes more than 15 minutes. */
const patienceMs = 3_600_000;
const [seed, scale] = [values.seed, values.scale].map(Number);
const steps = Number(values.steps ?? set.steps);
const batchSize = Number(values['batch-size'] ?? set.batchSize);
const untilMs = performance.now() + Number(values.minutes) * 60_000;
const args = ['--recipe', 'mnist-cnn-small', '--batch-size', `${batchSize}`, '--steps', `${steps}`];
const names = chosen.length > 0 ? chosen : set.names;

/** Takes away what the scenario of now has started. */
let tidyUp = async () => undefined;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => void tidyUp().finally(() => process.exit(1)));
}

const results = [];
for (let round = 0; round === 0 || performance.now() < untilMs; round++) {
  for (const name of ['calm', ...names.filter((each) => each !== 'calm')]) {
    // Other rounds need no other calm run.
    if (round > 0 && (name === 'calm' || performance.now() >= untilMs)) continue;
    const result = await attempt(name, seed + round);
    results.push(result);
    if (values.json) console.log(JSON.stringify(result));
    else console.error(describe(result));
  }
}
if (!values.json) console.log(report());
process.exit(results.some(({ wrong }) => wrong) ? 1 : 0);

async function attempt(name, roundSeed) {
  const startMs = performance.now();
  if (!values.json) console.error(`${name}: ${scenarios[name].what} …`);
  try {
    const result = await runScenario(name, roundSeed);
    const calm = results[0] ?? result;
    const wrong = verdict(result, calm);
    return { ...result, seconds: (performance.now() - startMs) / 1000, ...(wrong ? { wrong } : {}) };
  } catch (error) {
    if (error instanceof Skipped) return { name, seed: roundSeed, skipped: error.message };
    return { name, seed: roundSeed, wrong: error.stack };
  }
}

async function runScenario(name, roundSeed) {
  const { disturb, link, cables, noise, args: more = [], workerArgs, missing } = scenarios[name];
  const reason = missing?.();
  if (reason !== undefined) throw new Skipped(reason);
  const over = new AbortController();
  const random = randomOf(roundSeed);
  const links = linksOf({ link, cables, noise }, roundSeed);
  let cluster;
  tidyUp = async () => {
    over.abort();
    await cluster?.remove();
    await links?.remove();
  };
  try {
    cluster = await startCluster({
      args: [...args, ...more],
      workers,
      links,
      workerArgs,
      replaces: noise !== undefined,
    });
    const harm = disturb(cluster, { random, over: over.signal, scale, links, totalSteps: steps });
    // A harm that fails must not leave us waiting for the end of the run.
    const tooLate = delay(patienceMs, undefined, { signal: over.signal }).then(() => {
      throw new Error(
        `no end within ${patienceMs / 1000} s: ${cluster.commits().length} of ${steps} steps are done`,
      );
    });
    const finished = cluster.finished();
    const summary = await Promise.race([finished, harm.then(() => finished), tooLate]);
    tooLate.catch(() => undefined);
    over.abort();
    const { pauses = [], faults = {}, ...figures } = await harm;
    return {
      name,
      seed: roundSeed,
      outcome: summary.outcome,
      weightsSha256: summary.weightsSha256,
      samplesSeen: summary.samplesSeen,
      exact: summary.exact,
      stepMs: usualStep(cluster.commits()),
      pauses: pauses.filter((pause) => pause !== undefined),
      faults,
      ...figures,
      snapshots: snapshotCost(cluster.state.events, summary.seconds),
      audit: audit(summary.directory),
    };
  } finally {
    await tidyUp();
  }
}

/** The lines between workers and coordinator; undefined: there is nothing between them. */
function linksOf({ link, cables, noise }, roundSeed) {
  if (link) return createLinks(workers, { ...link, seed: roundSeed });
  if (cables) return createCables();
  return noise && createNoise({ everyBytes: noise.everyBytes * scale, random: randomOf(roundSeed + 1) });
}

/** What snapshots cost of a run: the share of the time that it waited for them, and that they were being written. */
function snapshotCost(events, seconds) {
  const taken = events.filter(({ event }) => event === 'snapshot');
  const share = (key) => taken.reduce((sum, line) => sum + line[key], 0) / 1000 / seconds;
  return { count: taken.length, waited: share('copyMs'), written: share('milliseconds') };
}

function usualStep(commits) {
  return median(commits.slice(1).map(({ atMs }, i) => atMs - commits[i].atMs));
}

/** What `gradwire audit` finds wrong; undefined where there is no such command yet. */
function audit(directory) {
  if (!hasOption('audit', '--json')) return undefined;
  const { status, stdout, stderr } = spawnSync(process.execPath, [gradwireBin, 'audit', directory], {
    encoding: 'utf8',
  });
  return status === 0 ? 'clean' : `${stdout}${stderr}`.slice(0, 1_000);
}

function verdict(result, calm) {
  if (result.outcome !== 'finished') return `the run ended as ${result.outcome}`;
  if (result.exact !== true) return `exact is ${result.exact}`;
  if (result.weightsSha256 !== calm.weightsSha256) {
    return `weights ${result.weightsSha256.slice(0, 12)}, those of the calm run are ${calm.weightsSha256?.slice(0, 12)}`;
  }
  if (result.samplesSeen !== calm.samplesSeen)
    return `${result.samplesSeen} samples, not ${calm.samplesSeen}`;
  if (result.audit !== undefined && result.audit !== 'clean') return `audit: ${result.audit}`;
  const done = Object.values(result.faults).reduce((sum, times) => sum + times, 0);
  const { least = 1 } = scenarios[result.name];
  if (done < least) return `harmed ${done} times, at least ${least} are needed: give it more --steps`;
  return undefined;
}

function describe({ name, seed: used, wrong, skipped, seconds }) {
  if (skipped) return `${name}: left out, ${skipped}`;
  if (wrong)
    return `${name}: ${wrong}\n  again: npm run chaos -- ${name} --seed ${used} ${size()} --scale ${scale}`;
  return `${name}: the weights of the calm run, after ${seconds.toFixed(0)} s`;
}

function size() {
  return `--steps ${steps} --batch-size ${batchSize}`;
}

function report() {
  const rows = results.map((result) => [
    scenarios[result.name].what,
    result.seed,
    Object.entries(result.faults ?? {})
      .map(([kind, times]) => `${number(times)} ${times === 1 ? kind.replace(/s$/, '') : kind}`)
      .join(', '),
    result.weightsSha256?.slice(0, 16),
    result.skipped ? `left out: ${result.skipped}` : result.wrong ? 'no' : 'yes',
    number(result.seconds),
    number(result.stepMs),
    number(median(result.pauses ?? [])),
    result.pauses?.length > 0 ? number(Math.max(...result.pauses)) : '',
  ]);
  const head = [
    'what was done',
    'seed',
    'how often',
    'weights',
    'those of the calm run, audit clean',
    'seconds',
    'usual step, ms',
    'pause, median ms',
    'worst ms',
  ];
  const { cpu, cores, system, commit } = describeMachine();
  const what = `\`mnist-cnn-small\`, batch ${batchSize}, ${steps} steps, ${workers} workers. ${cpu}, ${cores} cores, ${system}; commit ${commit}.`;
  const { count, waited, written } = results[0].snapshots ?? {};
  const cost = `Snapshots of the calm run: ${count}. It waited for them ${percent(waited, 3)} of its time; they were being written beside it for ${percent(written, 2)}.`;
  const noticed = results.flatMap((result) =>
    Object.entries(result.noticed ?? {}).map(([reason, times]) => `- ${times} times: ${reason}`),
  );
  const ended = noticed.length > 0 ? ['Why connections ended:', noticed.join('\n')] : [];
  const gaveUp = results.reduce((sum, result) => sum + (result.gaveUp ?? 0), 0);
  const replaced = gaveUp > 0 ? [`Workers that gave up and were replaced: ${gaveUp}.`] : [];
  return [what, table([head, ...rows]), cost, ...ended, ...replaced].join('\n\n');
}
