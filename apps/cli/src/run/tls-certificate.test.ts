import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { TlsCertificate } from '@gradwire/coordinator';
import {
  connectChannel,
  createAccess,
  createChannelServer,
  createCoordinatorClient,
  proofHeader,
  refuseRequest,
} from '@gradwire/transport';
import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadCertificate } from './tls-certificate.ts';

const token = 'a-token-of-tests';
let folder: string;
let own: TlsCertificate;
let other: TlsCertificate;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gradwire-tls-'));
  own = await selfSigned('own');
  other = await selfSigned('other');
});
afterAll(() => rm(folder, { recursive: true }));

async function selfSigned(name: string): Promise<TlsCertificate> {
  const certificate = await loadCertificate({ tls: 'self-signed', cacheDir: join(folder, name) });
  if (certificate === undefined) throw new Error('expected a certificate');
  return certificate;
}

const fingerprint = ({ cert }: TlsCertificate): string =>
  new X509Certificate(cert).fingerprint256.replaceAll(':', '').toLowerCase();

interface SecureServer extends AsyncDisposable {
  readonly url: string;
  /** Everything that was asked, once the connection was encrypted. */
  readonly asked: readonly string[];
}

async function startServer(certificate: TlsCertificate): Promise<SecureServer> {
  const asked: string[] = [];
  const server = createServer({ ...certificate });
  server.on('secureConnection', (socket) =>
    socket.on('data', (data: Buffer) => asked.push(data.toString('latin1'))),
  );
  const access = createAccess({ run: 'secure', token });
  server.on('request', (request, response) => {
    const answer = access.check(request, 'worker');
    if ('status' in answer) return refuseRequest(response, answer);
    if (answer.proof !== undefined) response.setHeader(proofHeader, answer.proof);
    response.end('a chunk');
  });
  const channels = createChannelServer({
    server,
    access,
    maxFrameBytes: 1_000_000,
    onChannel: async (channel) => {
      for await (const frame of channel.frames) channel.send(frame);
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `wss://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      await channels.close();
      server.close();
      server.closeAllConnections();
    },
  };
}

test('a certificate of our own is kept, with its key, for its owner only', async () => {
  expect(await selfSigned('own')).toEqual(own);
  expect(fingerprint(other)).not.toBe(fingerprint(own));
  const { mode } = await stat(join(folder, 'own', 'self-signed.pem'));
  if (process.platform !== 'win32') expect(mode & 0o777).toBe(0o600);
});

test('a damaged file is replaced', async () => {
  await writeFile(join(folder, 'own', 'self-signed.pem'), 'nonsense');
  own = await selfSigned('own');
  expect(fingerprint(own)).toMatch(/^[0-9a-f]{64}$/);
});

test('a certificate without its key, as a full disk once left it, is replaced', async () => {
  const [certificate = '', key = ''] = own.cert.split(/(?=-----BEGIN PRIVATE)/);
  for (const kept of [certificate, certificate + key.slice(0, -60), certificate + other.key]) {
    await writeFile(join(folder, 'own', 'self-signed.pem'), kept);
    own = await selfSigned('own');
    expect(() => createSecureContext({ ...own })).not.toThrow();
  }
});

test('of two first starts at once both have the certificate that is kept', async () => {
  const [one, two] = await Promise.all([selfSigned('pair'), selfSigned('pair')]);
  expect(one).toEqual(two);
  expect(await selfSigned('pair')).toEqual(one);
  expect(await readdir(join(folder, 'pair'))).toEqual(['self-signed.pem']);
});

test('a cache folder that cannot be made is an error with its path', async () => {
  await writeFile(join(folder, 'a-file'), '');
  await expect(selfSigned('a-file/cache')).rejects.toMatchObject({
    code: 'FILE_WRITE_FAILED',
    message: expect.stringContaining(join(folder, 'a-file', 'cache')) as string,
  });
});

/** Sets the largest file this process may write (the soft limit). */
const limit = (bytes: string): Buffer =>
  execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:`], { stdio: 'ignore' });

test('a disk on which there is room for a part of it keeps none, and the next start makes another', async ({
  skip,
}) => {
  try {
    limit(String(own.cert.length - 60));
  } catch {
    skip('prlimit is not available');
  }
  try {
    await expect(selfSigned('full')).rejects.toMatchObject({ code: 'FILE_WRITE_FAILED' });
  } finally {
    limit('unlimited');
  }
  expect(await readdir(join(folder, 'full'))).toEqual([]);
  const made = await selfSigned('full');
  expect(await selfSigned('full')).toEqual(made);
});

test('with the right fingerprint frames and chunks go through', async () => {
  await using server = await startServer(own);
  const secret = `${token},${fingerprint(own)}`;
  const channel = await connectChannel(`${server.url}#${secret}`, { maxFrameBytes: 1_000_000 });
  channel.send(new Uint8Array(100_000).fill(7));
  for await (const frame of channel.frames) {
    expect(frame).toEqual(new Uint8Array(100_000).fill(7));
    break;
  }
  const client = createCoordinatorClient({ url: server.url, token: secret, role: 'worker' });
  for (let count = 0; count < 3; count += 1) {
    expect(Buffer.from(await client.request({ path: '/data/x' })).toString()).toBe('a chunk');
  }
});

test('another certificate is refused before a byte is said, also for data', async () => {
  await using impostor = await startServer(other);
  const secret = `${token},${fingerprint(own)}`;
  const attempt = connectChannel(impostor.url, { token: secret, maxFrameBytes: 1_000 });
  await expect(attempt).rejects.toMatchObject({
    code: 'IDENTITY_WRONG',
    message: expect.stringContaining(fingerprint(other)) as string,
  });
  const client = createCoordinatorClient({ url: impostor.url, token: secret, role: 'worker' });
  await expect(client.request({ path: '/data/x' })).rejects.toMatchObject({ code: 'IDENTITY_WRONG' });
  expect(impostor.asked).toEqual([]);
});

test('without a fingerprint a certificate that nobody has signed is not trusted', async () => {
  await using server = await startServer(own);
  const attempt = connectChannel(server.url, { token, maxFrameBytes: 1_000 });
  await expect(attempt).rejects.toMatchObject({
    code: 'CONNECTION_FAILED',
    hint: expect.stringContaining('fingerprint') as string,
  });
  expect(server.asked).toEqual([]);
});

test('a fingerprint without TLS is refused: nobody takes the encryption away', async () => {
  const url = 'ws://127.0.0.1:1';
  const attempt = connectChannel(url, { token: `${token},${fingerprint(own)}`, maxFrameBytes: 1_000 });
  await expect(attempt).rejects.toMatchObject({ code: 'OPTION_INVALID' });
});

test.each([
  { tls: 'self-signed', tlsCert: 'a' },
  { tlsCert: 'a' },
  { tlsKey: 'a' },
  { tlsCert: '/nowhere/cert.pem', tlsKey: '/nowhere/key.pem' },
] as const)('%o is refused', async (settings) => {
  await expect(loadCertificate(settings)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
});
