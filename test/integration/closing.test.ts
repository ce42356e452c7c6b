import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { closeCodes } from '@gradwire/protocol';
import { connectChannel, createAccess, createChannelServer, httpServerOptions } from '@gradwire/transport';
import { runWorker } from '@gradwire/worker';
import { expect, test } from 'vitest';
import { smallRecipe, startSmallRun } from '../harness/small-run.ts';

test.each([
  ['stopped for now', 'stopping'],
  ['finished', 'runEnded'],
] as const)('who comes while a run that has %s closes is told %s', async (how, code) => {
  await using run = await startSmallRun(smallRecipe);
  const { coordinator, url } = run;
  if (how === 'finished') run.work();
  else coordinator.stop();
  await coordinator.done;
  const channel = await connectChannel(url, { token: coordinator.token, maxFrameBytes: 1_000_000 });
  await coordinator.close();
  expect(await channel.closed).toMatchObject({ code: closeCodes[code].code });
});

test('a worker that is told only that the run has ended leaves in order', async () => {
  const server = createServer(httpServerOptions).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const token = 'a-token_of-tests';
  const channels = createChannelServer({
    server,
    access: createAccess({ run: 'over', token }),
    maxFrameBytes: 1_000_000,
    onChannel: (channel) => channel.close(closeCodes.runEnded.code, closeCodes.runEnded.sentence),
  });
  const outcome = await runWorker({
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token,
    backend: 'wasm',
    threads: 1,
    software: 'test',
    cacheDirectory: '',
    findLocal: async () => undefined,
    signal: new AbortController().signal,
    onEvent: () => undefined,
  });
  expect(outcome).toMatchObject({ outcome: 'left', message: 'the run has ended' });
  await channels.close();
  server.close();
  server.closeAllConnections();
});
