import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRunDirectory } from '@gradwire/checkpoint';
import { type Coordinator, createCoordinator } from '@gradwire/coordinator';
import type { Dataset } from '@gradwire/data';
import { findRecipe } from '@gradwire/recipes';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { measureLink } from './measure-link.ts';
import { startShapedLink } from './shaped-link.ts';

const never = new AbortController().signal;
let folder: string;
let coordinator: Coordinator;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gradwire-link-'));
  coordinator = await createCoordinator({
    recipe: findRecipe('mnist-logistic'),
    recipeHash: '0'.repeat(64),
    data: { train: tenDigits('train'), test: tenDigits('test') },
    createDirectory: () => createRunDirectory(folder, 'link'),
    host: '127.0.0.1',
    port: 0,
    onEvent: () => undefined,
  });
});

afterAll(async () => {
  coordinator.stop();
  await coordinator.done;
  await coordinator.close();
  await rm(folder, { recursive: true });
});

function tenDigits(split: 'train' | 'test'): Dataset {
  const labels = Uint8Array.from({ length: 10 }, (_, i) => i);
  const features = Uint8Array.from({ length: 7840 }, (_, i) => i % 256);
  const shape = { sampleShape: [28, 28, 1], featureType: 'uint8', classNames: [...'0123456789'] } as const;
  return { name: 'mnist', split, count: 10, features, labels, ...shape };
}

test('no link is found faster than it is, and the slower direction is told', async () => {
  const link = { downBitsPerSecond: 40e6, upBitsPerSecond: 10e6, roundTripMs: 30 };
  await using shaped = await startShapedLink(coordinator.port, link);
  const found = await measureLink(`ws://127.0.0.1:${shaped.port}`, coordinator.token, never);
  // Timers may be a millisecond early in each direction.
  expect(found.roundTripMs).toBeGreaterThan(27);
  expect(found.downBitsPerSecond).toBeLessThan(1.2 * link.downBitsPerSecond);
  expect(found.upBitsPerSecond).toBeLessThan(1.2 * link.upBitsPerSecond);
  expect(found.upBitsPerSecond).toBeLessThan(found.downBitsPerSecond);
});

test('a wrong token, another server and nobody there are told apart', async () => {
  const address = `ws://127.0.0.1:${coordinator.port}`;
  await expect(measureLink(address, 'wrong-token', never)).rejects.toMatchObject({ code: 'TOKEN_WRONG' });
  await expect(measureLink(`${address}/x`, coordinator.token, never)).rejects.toMatchObject({
    code: 'CONNECTION_FAILED',
    message: expect.stringContaining('wrong path /x'),
  });
  await expect(measureLink('ws://127.0.0.1:1', 'token', never)).rejects.toMatchObject({
    code: 'CONNECTION_FAILED',
  });
});

test.each(['x', '-1', '1.5', '99999999999'])('bytes=%s is refused', async (bytes) => {
  const response = await fetch(`http://127.0.0.1:${coordinator.port}/link?bytes=${bytes}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${coordinator.token}` },
  });
  expect(response.status).toBe(400);
  expect(await response.text()).toContain('from 0 to 16777216');
});
