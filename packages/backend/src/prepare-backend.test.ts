import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { backend, getBackend, matMul, ones } from '@tensorflow/tfjs-core';
import { GradwireError } from '@gradwire/errors';
import { expect, test } from 'vitest';
import { checkNative, whatIsMissing } from './native/check-native.ts';
import { nativeEnvironment } from './native/native-environment.ts';
import { prepareBackend, probeBackends } from './prepare-backend.ts';
import { hashKernels } from './prepared-backend.ts';

const missing = whatIsMissing();

test('wasm is prepared, names its code, and leaves the process its error handlers', async () => {
  const listeners = process.rawListeners('unhandledRejection');
  const prepared = await prepareBackend('wasm');
  expect(prepared).toMatchObject({ name: 'wasm', version: '4.22.0' });
  expect(prepared.kernelHash).toMatch(/^[0-9a-f]{64}$/);
  expect(getBackend()).toBe('wasm');
  expect(process.rawListeners('unhandledRejection')).toEqual(listeners);
  expect(await prepareBackend('wasm')).toEqual(prepared);
  expect(Array.from(matMul(ones([2, 3]), ones([3, 1])).dataSync())).toEqual([3, 3]);
});

test('an unknown choice is the caller’s mistake', async () => {
  await expect(prepareBackend('gpu' as 'wasm')).rejects.toThrow(RangeError);
});

test('the kernel hash depends on the parts and on where one ends', async () => {
  const hashes = await Promise.all([hashKernels('ab', 'c'), hashKernels('a', 'bc'), hashKernels('ab', 'd')]);
  expect(new Set(hashes).size).toBe(3);
  expect(hashes[0]).toBe(await hashKernels('ab', new TextEncoder().encode('c')));
});

test('the probe reports both backends and keeps the current one', async () => {
  await prepareBackend('wasm');
  const probes = await probeBackends();
  expect(probes.map(({ name }) => name)).toEqual(['wasm', 'native']);
  expect(probes[0]).toEqual({ name: 'wasm', ok: true });
  expect(probes[1]?.ok).toBe((await checkNative()).ok);
  if (!probes[1]?.ok) expect(probes[1]?.reason).toMatch(/\w+/);
  expect(getBackend()).toBe('wasm');
});

test('auto is wasm, whatever else is installed', async () => {
  expect((await prepareBackend('auto')).name).toBe('wasm');
});

test.runIf(missing)('native says exactly what is missing', async () => {
  const error = await prepareBackend('native').catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(GradwireError);
  expect(error).toMatchObject({
    code: 'BACKEND_UNAVAILABLE',
    hint: expect.stringContaining('gradwire native install'),
  });
  expect((error as GradwireError).message).toContain(missing);
});

test.skipIf(missing)('native is prepared', async () => {
  const prepared = await prepareBackend('native');
  expect(prepared).toMatchObject({ name: 'native', version: '4.22.0' });
  expect(prepared.description).toMatch(/^TensorFlow \d+\.\d+\.\d+( with oneDNN)?, one thread/);
  expect(getBackend()).toBe('tensorflow');
  expect(Array.from(matMul(ones([2, 3]), ones([3, 1])).dataSync())).toEqual([3, 3]);
  expect(backend()).toHaveProperty('binding');
});

test.skipIf(missing)('native computes on one core and prints nothing', async () => {
  const script = `
    const util = require('node:util');
    util.isNullOrUndefined = (value) => value == null;
    const tf = require(process.argv[1]);
    const a = tf.ones([1024, 1024]);
    tf.matMul(a, a).dataSync();
    const [start, cpu] = [performance.now(), process.cpuUsage()];
    for (let i = 0; i < 20; i++) tf.matMul(a, a).dataSync();
    const used = process.cpuUsage(cpu);
    console.log((used.user + used.system) / 1000 / (performance.now() - start));
  `;
  const tfjsNode = createRequire(import.meta.url).resolve('@tensorflow/tfjs-node');
  const env = { ...process.env, ...nativeEnvironment() };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['-e', script, tfjsNode], { env });
  expect(Number(stdout)).toBeLessThan(1.3);
  expect(stderr).toBe('');
});
