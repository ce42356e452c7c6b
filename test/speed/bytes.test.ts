import { parameterLayout } from '@gradwire/models';
import { expect, test } from 'vitest';
import { smallRecipe, startSmallRun } from '../harness/small-run.ts';
import { startTcpProxy } from '../harness/tcp-proxy.ts';

test('a step costs a lone worker its gradient once and the weights once, and hardly anything else', async () => {
  const steps = 12;
  const model = {
    name: 'wide',
    inputShape: [4, 4, 1],
    layers: [
      { type: 'flatten' },
      { type: 'dense', units: 5_000, activation: 'relu' },
      { type: 'dense', units: 3 },
    ],
  } as const;
  await using run = await startSmallRun({ ...smallRecipe, model, steps });
  await using proxy = await startTcpProxy(run.coordinator.port);
  const { outcome } = run.work({ url: `ws://127.0.0.1:${proxy.port}` });
  await outcome;

  const vector = 4 * parameterLayout(model).size;
  // The shards' sums are added where they are computed: one gradient, not seven.
  expect(proxy.bytes.up / vector).toBeGreaterThan(steps);
  expect(proxy.bytes.up / vector).toBeLessThan(steps * 1.01);
  // Once more for the evaluation at the end; the data set, 4 KB, comes this way too.
  expect(proxy.bytes.down / vector).toBeGreaterThan(steps + 1);
  expect(proxy.bytes.down / vector).toBeLessThan((steps + 1) * 1.01);
});
