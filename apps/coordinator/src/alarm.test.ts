import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { MessageChannel } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { createAlarm } from './alarm.ts';

test('a process that did not run in time reads what has come before the alarm rings', async () => {
  const { port1, port2 } = new MessageChannel();
  const happened: string[] = [];
  port1.on('message', (message: string) => happened.push(message));
  const rung = once(port1, 'close');
  const dueMs = performance.now() + 5;
  const alarm = createAlarm(
    () => (happened.includes('alarm') ? undefined : dueMs),
    () => {
      happened.push('alarm');
      port1.close();
    },
  );
  alarm.arm();
  port2.postMessage('answer');
  while (performance.now() < dueMs + 20);
  await rung;
  expect(happened).toEqual(['answer', 'alarm']);
});
