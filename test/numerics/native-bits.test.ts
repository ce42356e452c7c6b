import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { probeBackends } from '@gradwire/backend';
import { expect, test } from 'vitest';

const native = (await probeBackends()).find(({ name }) => name === 'native');

/** Prints how a fresh process names its code and its numerics, the latter twice. */
const script = `
  const { prepareBackend } = await import('@gradwire/backend');
  const { createTrainer, probeHash } = await import('@gradwire/training');
  const { recipes } = await import('@gradwire/recipes');
  const { kernelHash } = await prepareBackend('native');
  const trainer = createTrainer({ recipe: recipes[0] });
  console.log(JSON.stringify([kernelHash, await probeHash(trainer), await probeHash(trainer)]));
`;

async function hashes(env: Record<string, string> = {}): Promise<string[]> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { ...process.env, ...env },
  });
  return JSON.parse(stdout) as string[];
}

test.runIf(native?.ok)('native gives the same bits in every process, with either operations', async () => {
  for (const env of [{}, { GRADWIRE_NATIVE_OPERATIONS: 'public' }]) {
    const [first, second] = [await hashes(env), await hashes(env)];
    expect(second).toEqual(first);
    expect(first[2]).toBe(first[1]);
  }
});

test.skipIf(native?.ok)(`native: skipped, ${native?.reason}`, () => {
  expect(native?.reason).toBeTruthy();
});
