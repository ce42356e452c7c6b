import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { closeCodes, encodeMessage, type HelloMessage, protocolVersion } from '@gradwire/protocol';
import { connectChannel, createCoordinatorClient, observerToken } from '@gradwire/transport';
import { beforeAll, expect, test } from 'vitest';
import { type SmallRun, startSmallRun } from '../harness/small-run.ts';
import { startTcpProxy } from '../harness/tcp-proxy.ts';

let calm: string;
beforeAll(async () => {
  await using run = await startSmallRun();
  run.work();
  calm = (await run.coordinator.done).summary.weightsSha256;
});

const attackers = fileURLToPath(new URL('../harness/attackers.mjs', import.meta.url));

interface Attack extends AsyncDisposable {
  /** How many of each kind were dropped so far. */
  readonly dropped: Readonly<Record<string, number>>;
}

/** Resolves once somebody of each kind was turned away. */
async function startAttack({ coordinator }: SmallRun): Promise<Attack> {
  const { port, token } = coordinator;
  const options = JSON.stringify({ port, token, strangers: 200, garbage: 50, silent: 20 });
  const child = spawn(process.execPath, [attackers, options], { stdio: ['pipe', 'pipe', 'inherit'] });
  let dropped: Record<string, number> = {};
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => ({ dropped } = JSON.parse(line) as { dropped: Record<string, number> }));
  const hasFired = (): boolean =>
    ['strangers', 'garbage', 'silent'].every((kind) => (dropped[kind] ?? 0) > 0);
  while (!hasFired()) await once(lines, 'line');
  return {
    get dropped() {
      return dropped;
    },
    async [Symbol.asyncDispose]() {
      const exited = once(child, 'exit');
      child.stdin.end();
      await exited;
    },
  };
}

test('200 without a token, 50 with garbage, 20 silent: the run ends as if nobody had been there', async () => {
  await using run = await startSmallRun();
  await using attack = await startAttack(run);
  const { events } = run.work({ name: 'ada' });
  const { summary } = await run.coordinator.done;
  expect(summary).toMatchObject({ outcome: 'finished', weightsSha256: calm, workers: [{ name: 'ada' }] });
  expect(events.some(({ type }) => type === 'disconnected')).toBe(false);
  expect(attack.dropped).toMatchObject({ strangers: expect.any(Number), garbage: expect.any(Number) });
});

const hello = (name: string): HelloMessage => ({
  type: 'hello',
  protocol: protocolVersion,
  software: '9.9.9',
  name,
  backend: 'wasm',
  threads: 1,
});

test('scenario 7: fifty workers that authenticate and never read hold nobody up', async () => {
  await using run = await startSmallRun(undefined, undefined, {
    limits: { intervalMs: 100, silenceMs: 2_000 },
  });
  const { token } = run.coordinator;
  await using cable = await startTcpProxy(run.coordinator.port);
  for (let n = 0; n < 50; n += 1) {
    const channel = await connectChannel(`ws://127.0.0.1:${cable.port}`, { token, maxFrameBytes: 1_000_000 });
    channel.send(encodeMessage(hello(`deaf-${n}`)));
    channel.send(encodeMessage({ type: 'ready', numericsClass: 'wasm-deaf' }));
  }
  await run.event((event) => event.type === 'worker-joined' && event.worker === 'deaf-49');
  cable.freeze();
  run.work({ name: 'ada' });
  const { summary } = await run.coordinator.done;
  expect(summary).toMatchObject({ outcome: 'finished', weightsSha256: calm });
  expect(summary.workers.filter(({ leases }) => leases > 0).map(({ name }) => name)).toEqual(['ada']);
});

test('scenario 7: a half-open connection is found by its silence, and the run goes on without that worker', async () => {
  await using run = await startSmallRun(undefined, undefined, {
    limits: { intervalMs: 100, silenceMs: 2_000 },
  });
  await using cable = await startTcpProxy(run.coordinator.port);
  run.work({ name: 'ada', url: `ws://127.0.0.1:${cable.port}` });
  await run.event(({ type }) => type === 'step');
  cable.freeze();
  run.work({ name: 'bob' });
  expect(await run.event(({ type }) => type === 'worker-left')).toMatchObject({
    worker: 'ada',
    why: 'lost',
    reason: expect.stringContaining('nothing heard') as string,
  });
  expect((await run.coordinator.done).summary).toMatchObject({ outcome: 'finished', weightsSha256: calm });
});

/** A frame whose header claims nested arrays of 20 million items in 50 bytes. */
function msgpackBomb(): Uint8Array {
  const header = Uint8Array.from({ length: 50 }, (_, i) => [0xdd, 0x01, 0x31, 0x2d, 0x00][i % 5] ?? 0);
  return Uint8Array.of(header.length, 0, 0, 0, ...header, 0, 0);
}

test('scenario 8: msgpack bombs from fifty that know the token cost a check each, and no memory', async () => {
  await using run = await startSmallRun();
  const { token } = run.coordinator;
  const before = process.memoryUsage().rss;
  for (let n = 0; n < 50; n += 1) {
    const channel = await connectChannel(run.url, { token, maxFrameBytes: 1_000_000 });
    channel.send(msgpackBomb());
    expect((await channel.closed).code).toBe(closeCodes.invalidMessage.code);
  }
  // One such header, unpacked, takes 1.6 GB.
  expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 28);
  run.work({ name: 'ada' });
  expect((await run.coordinator.done).summary).toMatchObject({ outcome: 'finished', weightsSha256: calm });
});

test('scenario 8: silent upgrades are ended, and hold no place', async () => {
  await using run = await startSmallRun(undefined, undefined, {
    limits: {
      firstFrameMs: 200,
      maxChannelsPerAddress: 20,
    },
  });
  const { token } = run.coordinator;
  const silent = await Promise.all(
    Array.from({ length: 20 }, () => connectChannel(run.url, { token, maxFrameBytes: 1_000_000 })),
  );
  for (const channel of silent) expect((await channel.closed).code).toBe(closeCodes.helloTimeout.code);
  run.work({ name: 'ada' });
  expect((await run.coordinator.done).summary).toMatchObject({ outcome: 'finished', weightsSha256: calm });
});

test('an observer sees how the run stands, and gets neither data nor a place', async () => {
  await using run = await startSmallRun();
  const token = observerToken(run.coordinator.token);
  const client = createCoordinatorClient({ url: run.url, token, role: 'observer' });
  const status = JSON.parse(Buffer.from(await client.request({ path: '/status' })).toString()) as object;
  expect(status).toMatchObject({ workers: [] });
  for (const path of [`/data/${'0'.repeat(64)}`, '/link?bytes=1', '/elsewhere']) {
    await expect(client.request({ path })).rejects.toMatchObject({ code: 'TOKEN_WRONG' });
  }
  await expect(run.work({ token }).outcome).rejects.toMatchObject({
    code: 'TOKEN_WRONG',
    message: expect.stringContaining('may only watch') as string,
  });
  run.work();
  await run.coordinator.done;
});

test('every path needs a token, and none of them names a file', async () => {
  await using run = await startSmallRun();
  const { port, token } = run.coordinator;
  // fetch would tidy the paths.
  const ask = async (path: string, headers: Record<string, string>): Promise<number | undefined> => {
    const asked = request({ port, host: '127.0.0.1', path, headers }).end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    response.resume();
    return response.statusCode;
  };
  const noChunks = [
    '/',
    '/data/../../../../etc/passwd',
    '/data/..%2f..%2fetc%2fpasswd',
    '/data//etc/passwd',
    '/data/%00',
    '/data/__proto__',
    '/data/constructor',
    '/__proto__',
    '/constructor',
  ];
  for (const path of ['/status', '/link', ...noChunks]) expect(await ask(path, {}), path).toBe(401);
  for (const path of noChunks) {
    expect(await ask(path, { authorization: `Bearer ${token}` }), path).toBe(404);
  }
  run.work();
  await run.coordinator.done;
});
