/**
 * `npm run bench`: every section, one after the other. Ratios of one run, side by side, are what counts.
 *
 *   npm run bench -- SECTION [--quick] [--rounds N] [--only REGEXP] [--out FOLDER]
 *   npm run bench -- report                    docs/performance.md from the results in the folder
 *   npm run bench -- peers install [FOLDER]    the Python programs to compare with, in an environment of their own
 *
 * `--only` keeps the contestants whose name fits the regular expression. Each section leaves its result in the folder, as JSON.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Skipped } from './measure/alternate.mjs';
import { describeMachine } from './measure/machine.mjs';
import { installPeers } from './measure/peers.mjs';
import { writeReport } from './report.mjs';

const sections = {
  gradient: 'one gradient on one core, by backend, network and micro-batch',
  loop: 'samples a second of whole training loops',
  step: "where a step's time goes",
  bytes: 'bytes a step on the wire',
  'time-to-accuracy': 'time to 98 % and 99 % test accuracy',
  coordinator: "the coordinator's CPU time and memory, by workers and model size",
  links: 'samples a second over slower links',
  recovery: 'the pause after a worker is killed',
  'start-up': 'time to the first step and to the first contribution',
  kernels: 'each kernel of the wasm backend, against the one it replaces',
};
// Scripts with arguments of their own that take many minutes: only by name, and not in the report.
const scripts = {
  attack: 'step time and memory, calm and under attack: attack [rounds]',
  strategies: 'accuracy of local SGD and DiLoCo beside synchronous training',
  accuracy:
    "whole runs, by default the article's on three seeds: accuracy [recipe] [backend] [seed …] [--option …]",
};
if (Object.hasOwn(scripts, process.argv[2])) {
  const file = fileURLToPath(new URL(`${process.argv[2]}.mjs`, import.meta.url));
  const { status } = spawnSync(process.execPath, [file, ...process.argv.slice(3)], { stdio: 'inherit' });
  process.exit(status ?? 1);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    only: { type: 'string', default: '' },
    out: { type: 'string', default: fileURLToPath(new URL('results', import.meta.url)) },
  },
});
const [name, ...rest] = positionals;
if (name === 'peers') {
  if (rest[0] !== 'install') usage();
  installPeers(rest[1]);
} else if (name === 'report') {
  await writeReport(values.out, Object.keys(sections));
} else if (name === undefined || Object.hasOwn(sections, name)) {
  await runSections(name === undefined ? Object.keys(sections) : [name]);
} else usage();

async function runSections(names) {
  mkdirSync(values.out, { recursive: true });
  for (const each of names) {
    console.log(`\n## ${each}: ${sections[each]}\n`);
    try {
      await runSection(each);
    } catch (error) {
      if (!(error instanceof Skipped)) process.exitCode = 1;
      console.error(error instanceof Skipped ? `Left out: ${error.message}` : error);
    }
  }
  console.log(`\nResults are in ${values.out}. docs/performance.md from them: npm run bench -- report`);
}

async function runSection(each) {
  const { run, report } = await import(`./sections/${each}.mjs`);
  const machine = describeMachine();
  const { quick } = values;
  const only = new RegExp(values.only);
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  const result = await run({ quick, only, rounds, say: (text) => console.error(text) });
  const document = { section: each, at: new Date().toISOString(), quick, machine, result };
  writeFileSync(join(values.out, `${each}.json`), `${JSON.stringify(document, null, 1)}\n`);
  console.log(report(result));
}

function usage() {
  console.error(
    readFileSync(fileURLToPath(import.meta.url), 'utf8')
      .match(/^ \* .*$|^ \*$/gm)
      .join('\n'),
  );
  for (const [known, what] of Object.entries({ ...sections, ...scripts }))
    console.error(`  ${known.padEnd(17)} ${what}`);
  process.exit(2);
}
