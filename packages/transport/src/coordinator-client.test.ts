import { EventEmitter, once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { type CoordinatorClient, createAccess, createCoordinatorClient, isSilence } from './index.ts';
import { proofHeader } from './proof.ts';
import { refuseRequest } from './refuse-upgrade.ts';

const token = 'known-to-both-sides';

interface Asked extends AsyncDisposable {
  readonly client: CoordinatorClient;
}

/** A client of a coordinator that asks for the token and then answers in its own way. */
async function ask(answer: (response: ServerResponse) => void): Promise<Asked> {
  const access = createAccess({ run: 'first', token });
  const server = createServer((request, response) => {
    const checked = access.check(request, 'observer');
    if ('status' in checked) return refuseRequest(response, checked);
    answer(response.setHeader(proofHeader, checked.proof ?? ''));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    client: createCoordinatorClient({ url, token, role: 'observer' }),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

const path = '/status';

test.each<[string, (response: ServerResponse) => void]>([
  ['before its answer', () => undefined],
  ['in its answer', (response) => response.write('half')],
])(
  'a coordinator that is silent %s is left, and that is told from other failures',
  async (_, answer) => {
    await using asked = await ask(answer);
    const error: unknown = await asked.client
      .request({ path, silenceMs: 100 })
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'CONNECTION_FAILED',
      hint: expect.stringContaining('network') as string,
    });
    expect(isSilence(error)).toBe(true);
  },
  10_000,
);

test('a connection that is reset in the middle of an answer fails the request, and nothing else', async () => {
  const begun = new EventEmitter<{ half: [ServerResponse] }>();
  await using asked = await ask((response) => {
    if (begun.listenerCount('half') === 0) return response.end('all');
    response.write('half');
    return begun.emit('half', response);
  });
  const broken: Promise<unknown> = asked.client.request({ path }).catch((thrown: unknown) => thrown);
  const [response] = (await once(begun, 'half')) as [ServerResponse];
  // When a later answer has come, the half has too: a reset that comes with data is taken for an end.
  await asked.client.request({ path });
  response.socket?.resetAndDestroy();
  expect(await broken).toMatchObject({ code: 'CONNECTION_FAILED' });
  expect(isSilence(await broken)).toBe(false);
});
