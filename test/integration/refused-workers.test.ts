import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect, createServer } from 'node:net';
import { GradwireError } from '@gradwire/errors';
import { closeCodes, encodeMessage, type HelloMessage, protocolVersion } from '@gradwire/protocol';
import { recipeHash } from '@gradwire/recipes';
import { type ChannelClosed, connectChannel, createCoordinatorClient } from '@gradwire/transport';
import { expect, test } from 'vitest';
import { smallData, smallRecipe, type SmallRun, startSmallRun } from '../harness/small-run.ts';

const hello: HelloMessage = {
  type: 'hello',
  protocol: protocolVersion,
  software: '9.9.9',
  name: 'stranger',
  backend: 'wasm',
  threads: 1,
};

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Sends one frame as the first, and says how the coordinator ends the connection. */
async function firstFrame({ url, coordinator }: SmallRun, frame: Uint8Array): Promise<ChannelClosed> {
  const channel = await connectChannel(url, { token: coordinator.token, maxFrameBytes: 1_000_000 });
  channel.send(frame);
  return channel.closed;
}

/** The run is none the worse for it. */
async function expectRunGoesOn(run: SmallRun): Promise<void> {
  run.work({ name: 'ada' });
  expect((await run.coordinator.done).summary).toMatchObject({
    outcome: 'finished',
    workers: [{ name: 'ada' }],
  });
}

test('a wrong token', async () => {
  await using run = await startSmallRun();
  await expect(run.work({ token: 'guess' }).outcome).rejects.toMatchObject({
    code: 'TOKEN_WRONG',
    message: expect.stringContaining(`127.0.0.1:${run.coordinator.port}`),
    hint: expect.any(String),
  });
  expect(run.events.some(({ type }) => type === 'worker-joined')).toBe(false);
  await expectRunGoesOn(run);
});

test('a coordinator that is not ready yet says so at once, and lets in whoever comes again', async () => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/status`;
  const answers: unknown[] = [];
  await using run = await startSmallRun(smallRecipe, smallData(), {
    port,
    async whileStarting() {
      const joining = connectChannel(`ws://127.0.0.1:${port}`, { token: 'any', maxFrameBytes: 1_000 });
      answers.push(await joining.catch((error: unknown) => error));
      answers.push((await fetch(url)).status);
    },
  });
  const message = expect.stringContaining('The coordinator is about to start.');
  expect(answers).toEqual([expect.objectContaining({ code: 'CONNECTION_REFUSED', message }), 503]);
  expect((await fetch(url)).status).toBe(401);
  await expectRunGoesOn(run);
});

test('no token at all: the answer is 401, before anything is upgraded', async () => {
  await using run = await startSmallRun();
  const upgrade = request({
    host: '127.0.0.1',
    port: run.coordinator.port,
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
      'sec-websocket-protocol': 'gradwire.1',
    },
  });
  const answer = new Promise<IncomingMessage>((resolve) => void upgrade.once('response', resolve));
  upgrade.end();
  const { statusCode } = await answer;
  upgrade.destroy();
  expect(statusCode).toBe(401);
  await expectRunGoesOn(run);
});

test('another recipe under the same name', async () => {
  await using run = await startSmallRun();
  const hash = await recipeHash({ ...smallRecipe, seed: 99 });
  const { outcome } = run.work({ recipeHash: hash });
  await expect(outcome).rejects.toMatchObject({
    code: 'RECIPE_MISMATCH',
    message: expect.stringMatching(
      `worker's recipe has hash ${hash.slice(0, 12)}, the coordinator's \\w{12}: use the same file on both sides`,
    ),
  });
  expect(await run.event(({ type }) => type === 'worker-refused')).toMatchObject({ code: 'recipeMismatch' });
  await expectRunGoesOn(run);
});

test('the same recipe is no reason to refuse', async () => {
  await using run = await startSmallRun();
  const { outcome } = run.work({ recipeHash: await recipeHash(smallRecipe) });
  expect(await outcome).toMatchObject({ outcome: 'finished' });
});

test('another protocol version', async () => {
  await using run = await startSmallRun();
  const closed = await firstFrame(run, encodeMessage({ ...hello, protocol: protocolVersion + 1 }));
  expect(closed.code).toBe(closeCodes.versionMismatch.code);
  expect(closed.reason).toContain(`the worker speaks protocol version ${protocolVersion + 1}`);
  expect(await run.event(({ type }) => type === 'worker-refused')).toMatchObject({
    code: 'versionMismatch',
    message: expect.stringContaining(`the coordinator version ${protocolVersion}`),
  });
  await expectRunGoesOn(run);
});

test.each([
  ['nonsense', Uint8Array.of(1, 2, 3, 4, 5)],
  ['a message that is not hello', encodeMessage({ type: 'leave', reason: 'lunch' })],
  ['no bytes at all', new Uint8Array(0)],
])('%s as the first frame', async (_, frame) => {
  await using run = await startSmallRun();
  expect((await firstFrame(run, frame)).code).toBe(closeCodes.invalidMessage.code);
  expect(await run.event(({ type }) => type === 'worker-refused')).toMatchObject({ code: 'invalidMessage' });
  await expectRunGoesOn(run);
});

/** A worker that says it computes other bits than anybody else, and never computes. */
async function oddWorker({ url, coordinator }: SmallRun, name: string): Promise<ChannelClosed> {
  const channel = await connectChannel(url, { token: coordinator.token, maxFrameBytes: 1_000_000 });
  channel.send(encodeMessage({ ...hello, name }));
  channel.send(encodeMessage({ type: 'ready', numericsClass: `wasm-${name}` }));
  return channel.closed;
}

test('scenario 9, --exact: a worker of another numerics class than the first, with an explanation', async () => {
  await using run = await startSmallRun({ ...smallRecipe, epochs: 20 }, smallData(), { exact: true });
  run.work({ name: 'ada' });
  await run.event((event) => event.type === 'worker-ready' && event.worker === 'ada');
  const closed = await oddWorker(run, 'odd');
  expect(closed.code).toBe(closeCodes.numericsMismatch.code);
  expect(closed.reason).toMatch(
    /^other bits: wasm-odd, the run has wasm-[0-9a-f]{16}; use the same --backend/,
  );
  expect(await run.event((event) => event.type === 'worker-left' && event.worker === 'odd')).toMatchObject({
    why: 'expelled',
    reason: expect.stringMatching(/^--exact: odd computes as wasm-odd, others as wasm-/),
  });
  expect((await run.coordinator.done).summary).toMatchObject({ exact: true, workers: [{ name: 'ada' }] });
});

test('scenario 9, without --exact: it may stay, and the run and its status say why it is not exact', async () => {
  await using run = await startSmallRun();
  void oddWorker(run, 'odd');
  await run.event((event) => event.type === 'worker-ready' && event.worker === 'odd');
  void oddWorker(run, 'even');
  expect(await run.event(({ type }) => type === 'inexact')).toMatchObject({
    reason: expect.stringMatching(/^even computes as wasm-even, others as wasm-odd: /),
  });
  const { url, coordinator } = run;
  const client = createCoordinatorClient({ url, token: coordinator.token, role: 'observer' });
  const status = await client.request({ path: '/status' });
  expect(JSON.parse(new TextDecoder().decode(status))).toMatchObject({
    exact: 'workers of 2 numerics classes: wasm-odd, wasm-even',
  });
});

test('nobody listens', async () => {
  await using run = await startSmallRun();
  const url = 'ws://127.0.0.1:9';
  const { outcome, events } = run.work({ url, patienceMs: 0 });
  await expect(outcome).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
  await expect(outcome).rejects.toBeInstanceOf(GradwireError);
  expect(events).toMatchObject([{ type: 'connecting', url, attempt: 1 }]);
});

test('scenario 9, --exact: a class that comes, contributes nothing and goes does not lock the others out', async () => {
  await using run = await startSmallRun(smallRecipe, smallData(), { exact: true });
  const channel = await connectChannel(run.url, { token: run.coordinator.token, maxFrameBytes: 1_000_000 });
  channel.send(encodeMessage({ ...hello, name: 'odd' }));
  channel.send(encodeMessage({ type: 'ready', numericsClass: 'wasm-odd' }));
  await run.event(({ type }) => type === 'worker-ready');
  channel.send(encodeMessage({ type: 'ready', numericsClass: 'wasm-other' }));
  expect(await channel.closed).toMatchObject({ code: closeCodes.invalidMessage.code });
  await run.event((event) => event.type === 'worker-left' && event.worker === 'odd');
  await expectRunGoesOn(run);
  expect((await run.coordinator.done).summary.exact).toBe(true);
});

test('chunks that are asked for before those before them are read are not sent', async () => {
  await using run = await startSmallRun({ ...smallRecipe, epochs: 1e6 });
  const { port, token } = run.coordinator;
  const ask = `GET /data/${'0'.repeat(64)} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: Bearer ${token}\r\n\r\n`;
  const socket = connect(port, '127.0.0.1', () => socket.write(ask.repeat(50)));
  let answers = 0;
  socket.setEncoding('utf8').on('data', (text: string) => (answers += text.split('HTTP/1.1 ').length - 1));
  await once(socket, 'close');
  expect(answers).toBeLessThan(50);
});
