// `pnpm check`: everything about the code that needs no run. People and CI use the same script.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setUp } from './setup.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = (name) => `node_modules/.bin/${name}`;
const packages = ['packages', 'apps'].flatMap((kind) =>
  readdirSync(`${root}/${kind}`).map((name) => `${kind}/${name}`),
);

setUp();
const steps = [
  ['types of the tests', bin('tsc'), ['-p', 'tsconfig.tests.json']],
  ['format and import order', bin('biome'), ['check', '.']],
  ['lint', bin('oxlint'), ['--type-aware', '--tsconfig', 'tsconfig.tests.json', '--deny-warnings']],
  ['layers', bin('turbo'), ['boundaries']],
  ['unused code', bin('knip'), []],
  ...packages.map((path) => [`package ${path}`, bin('publint'), ['--strict', '--pack', 'npm', path]]),
];
const failed = steps.filter(([what, program, args]) => !passes(what, program, args));
console.log(`${steps.length - failed.length} checks passed, ${failed.length} failed`);
process.exit(failed.length === 0 ? 0 : 1);

function passes(what, program, args) {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd: root,
    encoding: 'utf8',
    shell: process.platform === 'win32',
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' },
  });
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${what}`);
  if (status !== 0) console.log(`${error ?? ''}${stdout}${stderr}`);
  return status === 0;
}
