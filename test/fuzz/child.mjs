// One target in a process of its own, so that an abort or a hang is a finding and not the end of the fuzzer:
// `node child.mjs TARGET CASES SEED POSITION_FILE`. The position file names the batch and the case at work.
import { openSync, writeSync } from 'node:fs';
import * as fc from 'fast-check';

const [name, casesText, seedText, positionFile] = process.argv.slice(2);
const [cases, firstSeed] = [Number(casesText), Number(seedText)];
/** Cases that one seed makes: what replays a finding. */
const batchCases = 250;
const maxMegabytes = 512;

process.on('uncaughtException', (error) => found(error));
process.on('unhandledRejection', (error) => found(error));

const { createTarget } = await import(`./targets/${name}.mjs`);
const target = await createTarget();
const position = openSync(positionFile, 'w');
const counts = { cases: 0, accepted: 0, refused: {} };
let seed = firstSeed;

for (; counts.cases < cases; seed++) {
  const numRuns = Math.min(batchCases, cases - counts.cases);
  let batchCase = 0;
  const property = fc.asyncProperty(target.inputs, async (input) => {
    writeSync(position, `${seed} ${batchCase++} `.padEnd(32), 0);
    await judge(input);
  });
  const result = await fc.check(property, { seed, numRuns, interruptAfterTimeLimit: 60_000 });
  counts.cases += numRuns;
  if (result.failed && result.counterexample) found(result.errorInstance, result.counterexample[0]);
  if (result.failed) found(new Error(`batch of ${numRuns} cases took longer than 60 s`));
}
await target.close?.();
say({ ...counts, megabytes: megabytes() });
process.exit(0);

/** A value, or an error with a code that the decoder documents; and memory within the bound. */
async function judge(input) {
  try {
    await target.run(input);
    counts.accepted += 1;
  } catch (error) {
    if (!target.codes.includes(error?.code) || error.name !== 'GradwireError') throw error;
    counts.refused[error.code] = (counts.refused[error.code] ?? 0) + 1;
  }
  if (megabytes() > maxMegabytes)
    throw new Error(`memory: ${megabytes()} MB, at most ${maxMegabytes} are allowed`);
}

/** The most memory that this process has had, from the system. */
function megabytes() {
  return Math.round(process.resourceUsage().maxRSS / 1024);
}

function found(error, counterexample) {
  const stack = String(error?.stack ?? error).slice(0, 3_000);
  const input = counterexample === undefined ? undefined : show(counterexample);
  say({ ...counts, megabytes: megabytes(), finding: { seed, stack, input } });
  process.exit(1);
}

function show(value) {
  const text = value instanceof Uint8Array ? Buffer.from(value).toString('base64') : fc.stringify(value);
  return text.length > 3_000 ? `${text.slice(0, 3_000)}… (${text.length})` : text;
}

function say(report) {
  writeSync(1, `${JSON.stringify(report)}\n`);
}
