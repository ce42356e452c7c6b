// `npm run fuzz -- [targets] [--cases N] [--seed S] [--json]`: fuzzes decoders, each in a process of its own with a small heap.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const child = fileURLToPath(new URL('./child.mjs', import.meta.url));
/** Longest time that one case may take. */
const hangMs = 20_000;
/** A disk in memory, where the system has one: a real one waits whenever a file is made shorter. */
const memory = '/dev/shm';

const all = readdirSync(new URL('./targets', import.meta.url)).map((file) => file.replace(/\.mjs$/, ''));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    cases: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const unknown = positionals.find((name) => !all.includes(name));
if (unknown !== undefined) {
  console.error(`There is no target ${unknown}; there are ${all.join(', ')}.`);
  process.exit(2);
}
const reports = [];
for (const name of positionals.length > 0 ? positionals : all) {
  const report = await fuzz(name);
  reports.push(report);
  if (values.json) console.log(JSON.stringify(report));
  else describe(report);
}
if (!values.json) console.log(table(reports));
process.exit(reports.some(({ finding }) => finding) ? 1 : 0);

/** Resolves with what the target's process has reported, or with how it ended without a report. */
async function fuzz(name) {
  const folder = mkdtempSync(join(existsSync(memory) ? memory : tmpdir(), 'gradwire-fuzz-'));
  const positionFile = join(folder, 'position');
  const startMs = performance.now();
  const started = spawn(
    process.execPath,
    ['--max-old-space-size=192', child, name, values.cases, values.seed, positionFile],
    { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], env: environment() },
  );
  const output = { out: '', err: '' };
  started.stdout.on('data', (text) => (output.out += text));
  started.stderr.on('data', (text) => (output.err = (output.err + text).slice(-3_000)));
  const watch = watchProgress(positionFile, () => started.kill('SIGKILL'));
  const ended = await new Promise((resolve) =>
    started.once('close', (code, signal) => resolve(signal ?? code)),
  );
  clearInterval(watch.timer);
  const line = output.out.split('\n').findLast((text) => text.startsWith('{'));
  const place = readPosition(positionFile);
  rmSync(folder, { recursive: true, force: true });
  const seconds = (performance.now() - startMs) / 1000;
  const report = line === undefined ? { cases: 0, accepted: 0, refused: {} } : JSON.parse(line);
  if (line !== undefined) return { target: name, seconds, ...report };
  const what = watch.hung
    ? `no end within ${hangMs / 1000} s`
    : `the process ended with ${ended}\n${output.err}`;
  const [seed, batchCase] = place.split(' ');
  return {
    target: name,
    seconds,
    ...report,
    finding: { seed: Number(seed), stack: `${what} in case ${batchCase}` },
  };
}

/** Calls `onHang` if the case at work stays the same for too long. */
function watchProgress(positionFile, onHang) {
  let last = { place: '', sinceMs: performance.now() };
  const watch = { hung: false, timer: undefined };
  watch.timer = setInterval(() => {
    const place = readPosition(positionFile);
    const now = performance.now();
    if (place !== last.place) last = { place, sinceMs: now };
    if (now - last.sinceMs < hangMs) return;
    watch.hung = true;
    onHang();
  }, 500);
  return watch;
}

function readPosition(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Ours without settings of Gradwire: they would be part of what is fuzzed. */
function environment() {
  const ours = Object.entries(process.env).filter(([name]) => !name.startsWith('GRADWIRE_'));
  return { ...Object.fromEntries(ours), NO_COLOR: '1' };
}

function describe({ target, finding }) {
  if (finding === undefined) return;
  console.log(`${target}: ${finding.stack}`);
  if (finding.input !== undefined) console.log(`  input: ${finding.input}`);
  console.log(`  again: npm run fuzz -- ${target} --cases 250 --seed ${finding.seed}`);
}

function row(cells) {
  return `| ${cells.join(' | ')} |`;
}

function table(rows) {
  const head = ['target', 'cases', 'accepted', 'refused as', 'seconds', 'largest memory', 'findings'];
  const lines = rows.map(({ target, cases, accepted, refused, seconds, megabytes, finding }) => [
    target,
    cases.toLocaleString('en'),
    `${((100 * accepted) / Math.max(1, cases)).toFixed(1)} %`,
    Object.keys(refused).sort().join(', '),
    seconds.toFixed(0),
    megabytes === undefined ? '?' : `${megabytes} MB`,
    finding ? '1' : '0',
  ]);
  return [row(head), row(head.map(() => '---')), ...lines.map(row)].join('\n');
}
