import { readFileSync, writeFileSync } from 'node:fs';
import { openSnapshots } from '@gradwire/checkpoint';
import * as fc from 'fast-check';
import { bytesFrom, joinBytes, jsonOf, valuesFrom } from '../mutate.mjs';

const step = 7;
const file = { bytes: 0, sha256: 'ab'.repeat(32) };
const record = {
  run: '0001-small',
  term: 1,
  recipeHash: 'ab'.repeat(32),
  data: { train: 'ab'.repeat(32), test: 'cd'.repeat(32) },
  seconds: 1.5,
  backends: { 'wasm-1': 'wasm' },
  step,
  epochTotals: { samples: 140, loss: 12.5, correct: 30 },
  files: { 'metrics.jsonl': file, 'ledger.jsonl': file },
};

/** Snapshots: bytes changed anywhere, and values changed inside a well-formed header. */
export async function createTarget() {
  const store = openSnapshots('.');
  const [weights, moments] = [0.5, 0.25].map((value) => new Float32Array(51).fill(value));
  await store.write({ record, weights, optimizer: { m: moments, v: moments } });
  const path = store.pathOf(step);
  const bytes = new Uint8Array(readFileSync(path));
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = JSON.parse(Buffer.from(bytes.subarray(8, 8 + length)).toString());
  const changed = valuesFrom([header]).map((value) => {
    const text = Buffer.from(jsonOf(value));
    const size = new Uint8Array(8);
    new DataView(size.buffer).setBigUint64(0, BigInt(text.length), true);
    return joinBytes(size, text, bytes.subarray(8 + length));
  });
  return {
    inputs: fc.oneof({ weight: 5, arbitrary: bytesFrom([bytes]) }, { weight: 5, arbitrary: changed }),
    codes: ['FILE_CORRUPT'],
    async run(input) {
      writeFileSync(path, input);
      await store.read(step);
    },
  };
}
