import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeMessage, encodeMessage, messageLimits, protocolVersion } from '@gradwire/protocol';
import * as fc from 'fast-check';
import { answerTo, startCoordinator } from '../coordinator.mjs';
import { load } from '../load.mjs';
import { bytesFrom, jsonOf, valuesFrom } from '../mutate.mjs';

/**
 * The files of a run as `audit`, `diff` and `--resume` read them: bytes changed anywhere, and values changed inside
 * well-formed lines and documents.
 */
export async function createTarget() {
  const [{ openRun }, { auditRun }, { diffRuns }] = await Promise.all(
    ['open-run', 'audit-run', 'diff-runs'].map((name) => load(`apps/cli/dist/ledger/${name}.js`)),
  );
  const { readStoredRun } = await load('apps/coordinator/dist/index.js');
  const { readRunLines } = await load('apps/coordinator/dist/recorder.js');
  const directory = await makeRun();
  const good = await openRun(directory);
  const names = readdirSync(directory).filter((name) => /\.jsonl?$/.test(name));
  const files = names.map((name) => ({ name, bytes: new Uint8Array(readFileSync(join(directory, name))) }));
  const inputs = files.flatMap(({ name, bytes }) => [
    fc.record({ name: fc.constant(name), bytes: bytesFrom([bytes]) }),
    fc.record({ name: fc.constant(name), bytes: documentsFrom(name, bytes) }),
  ]);
  return {
    inputs: fc.oneof(...inputs),
    codes: ['DATA_NOT_FOUND', 'RECIPE_INVALID', 'FILE_CORRUPT', 'OPTION_INVALID'],
    async run({ name, bytes }) {
      const path = join(directory, name);
      const before = files.find((file) => file.name === name).bytes;
      writeFileSync(path, bytes);
      try {
        await Promise.all([inspect(directory), readStoredRun(directory), readRunLines(directory)]);
      } finally {
        writeFileSync(path, before);
      }
    },
  };

  async function inspect(path) {
    const run = await openRun(path);
    const { problems } = await auditRun(run, 140);
    if (!problems.every((problem) => typeof problem === 'string'))
      throw new Error('a problem that is no text');
    await diffRuns(run, good);
    await diffRuns(good, run);
  }
}

/** A document, or a file of lines, of which one value or one line is changed. */
function documentsFrom(name, bytes) {
  const text = Buffer.from(bytes).toString();
  if (name.endsWith('.json'))
    return valuesFrom([JSON.parse(text)]).map((value) => Buffer.from(jsonOf(value)));
  const lines = text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
  return valuesFrom([lines]).map((values) =>
    Buffer.from(
      Array.isArray(values) ? values.map((value) => `${jsonOf(value)}\n`).join('') : jsonOf(values),
    ),
  );
}

/** As many as divide the batch of 20. */
const shards = 5;

/** A run with every file that there can be, stopped half-way so that it can go on; its directory. */
async function makeRun() {
  const run = await startCoordinator({ epochs: 3, shards, snapshotEvery: 5 });
  const limits = messageLimits({ role: 'coordinator' });
  const channel = run.coordinator.connect();
  const hello = { type: 'hello', protocol: protocolVersion, software: 'x', name: 'w' };
  channel.send(encodeMessage({ ...hello, backend: 'wasm', threads: 1 }));
  const stopAfter = 9 * shards;
  let answers = 0;
  for await (const frame of channel.frames) {
    const message = decodeMessage(frame, limits);
    if (message.type === 'end') break;
    for (const answer of answersTo(message)) {
      channel.send(answer);
      answers += 1;
      if (answers === stopAfter) run.coordinator.stop();
    }
  }
  const { path } = run.coordinator.directory;
  await run.coordinator.done;
  await run.coordinator.close();
  for (const name of ['recipe.json', 'ledger.jsonl', 'metrics.jsonl', 'summary.json', 'coordinator.json']) {
    if (!existsSync(join(path, name))) throw new Error(`${path} has no ${name}`);
  }
  return path;
}

/** One partial for each leaf of a lease. */
function answersTo(message) {
  const parts =
    message.type === 'lease' ? message.leaves.map((leaf) => ({ ...message, leaves: [leaf] })) : [message];
  return parts.flatMap((part) => answerTo([part], 0.5, 20 / shards) ?? []);
}
