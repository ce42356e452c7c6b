import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { prepareBackend } from '@gradwire/backend';
import { loadVectors } from '@gradwire/kernels/vectors';
import { expect, test } from 'vitest';
import { findChromium, openPage } from '../harness/chromium.ts';
import type { PageReport } from './chromium-page.ts';
import { numericHashes } from './numeric-hashes.ts';

const { resolve } = createRequire(import.meta.url);
const chromium = findChromium();

const page = {
  script: fileURLToPath(new URL('chromium-page.ts', import.meta.url)),
  files: {
    '/tfjs-backend-wasm-simd.wasm': resolve('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm'),
    '/kernels.wasm': resolve('@gradwire/kernels/kernels.wasm'),
    '/vectors.wasm': resolve('@gradwire/kernels/vectors.wasm'),
  },
};

test.runIf(chromium)('Chromium gives the bits of Node: kernels, gradients, training', async () => {
  await using opened = await openPage(chromium as string, page);
  const found = await opened.call<PageReport>('report');
  const backend = await prepareBackend('wasm');
  expect(found.backend).toEqual(backend);
  expect(found.isolated).toBe(true);
  const hashes = await numericHashes(await loadVectors());
  expect(Object.keys(hashes).length).toBeGreaterThan(80);
  expect(found.hashes).toEqual(hashes);
});

test.skipIf(chromium)('Chromium: skipped, there is no /usr/bin/chromium (apt-get install chromium)', () => {
  expect(chromium).toBeUndefined();
});
