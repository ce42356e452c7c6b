// `npm run chaos -- [scenarios] [--minutes M] [--seed S] [--steps N] [--scale X] [--json]`: harms real runs; the final weights
// must be those of the calm run, and the ledger's audit clean.
import { spawnSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Skipped } from '../bench/measure/alternate.mjs';
import { gradwireBin, hasOption } from '../bench/measure/gradwire.mjs';
import { createLinks } from '../bench/measure/links.mjs';
import { median } from '../bench/measure/statistics.mjs';
import { number, table } from '../bench/measure/table.mjs';
import { startCluster } from './cluster.mjs';
import { randomOf } from './random.mjs';
import { scenarios } from './scenarios.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
    steps: { type: 'string', default: '1500' },
    scale: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const unknown = positionals.find((name) => !Object.hasOwn(scenarios, name));
if (unknown !== undefined) {
  console.error(`There is no scenario ${unknown}; there are ${Object.keys(scenarios).join(', ')}.`);
  process.exit(2);
}
const workers = 3;
/** Longest time that a run may take. */
const patienceMs = 600_000;
const [steps, seed, scale] = [values.steps, values.seed, values.scale].map(Number);
const untilMs = performance.now() + Number(values.minutes) * 60_000;
const args = ['--recipe', 'mnist-cnn-small', '--batch-size', '64', '--steps', `${steps}`];
const names = positionals.length > 0 ? positionals : Object.keys(scenarios);

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
  const { disturb, link, missing } = scenarios[name];
  const reason = missing?.();
  if (reason !== undefined) throw new Skipped(reason);
  const over = new AbortController();
  const links = link && createLinks(workers, { ...link, seed: roundSeed });
  let cluster;
  try {
    cluster = await startCluster({ args, workers, links });
    const random = randomOf(roundSeed);
    const harm = disturb(cluster, { random, over: over.signal, scale, links, totalSteps: steps });
    // A harm that fails must not leave us waiting for the end of the run.
    const tooLate = delay(patienceMs, undefined, { signal: over.signal }).then(() => {
      throw new Error(`no end within ${patienceMs / 1000} s`);
    });
    const finished = cluster.finished();
    const summary = await Promise.race([finished, harm.then(() => finished), tooLate]);
    tooLate.catch(() => undefined);
    over.abort();
    const { pauses = [], fired } = (await harm) ?? {};
    return {
      name,
      seed: roundSeed,
      outcome: summary.outcome,
      weightsSha256: summary.weightsSha256,
      samplesSeen: summary.samplesSeen,
      exact: summary.exact,
      stepMs: usualStep(cluster.commits()),
      pauses: pauses.filter((pause) => pause !== undefined),
      ...(fired ? { fired } : {}),
      audit: audit(summary.directory),
    };
  } finally {
    over.abort();
    await cluster?.remove();
    await links?.remove();
  }
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
  return undefined;
}

function describe({ name, seed: used, wrong, skipped, seconds }) {
  if (skipped) return `${name}: left out, ${skipped}`;
  if (wrong)
    return `${name}: ${wrong}\n  again: npm run chaos -- ${name} --seed ${used} --steps ${steps} --scale ${scale}`;
  return `${name}: the weights of the calm run, after ${seconds.toFixed(0)} s`;
}

function report() {
  const rows = results.map(({ name, seed: used, wrong, skipped, seconds, stepMs, pauses = [] }) => [
    scenarios[name].what,
    used,
    skipped ? `left out: ${skipped}` : wrong ? 'no' : 'yes',
    number(seconds),
    number(stepMs),
    pauses.length || '',
    number(median(pauses)),
    pauses.length > 0 ? number(Math.max(...pauses)) : '',
  ]);
  const head = [
    'what was done',
    'seed',
    'same weights',
    'seconds',
    'usual step, ms',
    'times',
    'pause, median ms',
    'worst ms',
  ];
  return table([head, ...rows]);
}
