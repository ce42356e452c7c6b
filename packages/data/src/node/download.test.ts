import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import type { DataEvent, DownloadOptions } from './index.ts';
import { download } from './index.ts';

const content = Buffer.from(Uint32Array.from({ length: 50_000 }, (_, i) => Math.imul(i, 2654435761)).buffer);
const sha256 = createHash('sha256').update(content).digest('hex');
const packed = gzipSync(content);

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

interface TestServer {
  url: string;
  /** The range that each request asked for. */
  ranges: (string | undefined)[];
  breakConnections: () => void;
}

/** A server that gives its n-th answer to the n-th request, and the last one to all others. */
async function serve(...answers: Answer[]): Promise<TestServer> {
  const ranges: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    const answer = answers[Math.min(ranges.length, answers.length - 1)];
    ranges.push(request.headers.range);
    answer?.(request, response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/file`,
    ranges,
    breakConnections: () => server.closeAllConnections(),
  };
}

/** Sends the whole, or the requested rest if the request has a range. */
function whole(body: Buffer = content): Answer {
  return (request, response) => {
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    if (start >= body.length) {
      response.writeHead(416, { 'content-range': `bytes */${body.length}` }).end();
    } else if (start > 0) {
      const range = `bytes ${start}-${body.length - 1}/${body.length}`;
      response.writeHead(206, { 'content-range': range, 'content-length': body.length - start });
      response.end(body.subarray(start));
    } else {
      response.writeHead(200, { 'content-length': body.length }).end(body);
    }
  };
}

/** Sends the whole, whatever range was asked for. */
const ignoreRange: Answer = (_request, response) => {
  response.writeHead(200, { 'content-length': content.length }).end(content);
};

/** Announces the whole, sends the beginning and breaks the connection. */
function truncate(bytes: number): Answer {
  return (_request, response) => {
    response.writeHead(200, { 'content-length': content.length });
    response.write(content.subarray(0, bytes), () => response.destroy());
  };
}

/** Sends the beginning and then nothing more. */
const stall: Answer = (_request, response) => {
  response.writeHead(200, { 'content-length': content.length });
  response.write(content.subarray(0, 1000));
};

const corrupt: Answer = (request, response) => {
  const bytes = Buffer.from(content);
  bytes[77_777]! ^= 1;
  whole(bytes)(request, response);
};

function fail(status: number): Answer {
  return (_request, response) => {
    response.writeHead(status).end('sorry');
  };
}

function redirectTo(location: string): Answer {
  return (_request, response) => {
    response.writeHead(302, { location }).end();
  };
}

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'gradwire-download-'));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

interface Outcome {
  directory: string;
  path: string;
  events: DataEvent[];
  error: unknown;
}

/** Downloads to `file` in a new folder, in which `part` is left from an earlier run. */
async function run(
  urls: string[],
  options: Partial<DownloadOptions> & { part?: Buffer } = {},
): Promise<Outcome> {
  const { part, onEvent, ...rest } = options;
  const directory = await folder();
  const path = join(directory, 'file');
  if (part) await writeFile(`${path}.part`, part);
  const events: DataEvent[] = [];
  const listen = (event: DataEvent): void => {
    events.push(event);
    onEvent?.(event);
  };
  const error = await download(urls, path, { sha256, retryDelayMs: 0, onEvent: listen, ...rest }).catch(
    (e: unknown) => e,
  );
  return { directory, path, events, error };
}

/** The file is there, right, and nothing else is. */
async function expectDone({ directory, path, error, events }: Outcome): Promise<void> {
  expect(error).toBeUndefined();
  expect(content.equals(await readFile(path))).toBe(true);
  expect(await readdir(directory)).toEqual(['file']);
  expect(events.at(-1)).toEqual({ type: 'verified', path, sha256 });
}

function retries({ events }: Outcome): string[] {
  return events.flatMap((event) => (event.type === 'retry' ? [event.reason] : []));
}

test('a whole file arrives, with progress', async () => {
  const { url, ranges } = await serve(whole());
  const outcome = await run([url]);
  await expectDone(outcome);
  expect(ranges).toEqual([undefined]);
  const progress = outcome.events.filter((event) => event.type === 'downloading');
  expect(progress.at(-1)).toEqual({ type: 'downloading', url, bytes: content.length, total: content.length });
});

test('a compressed file is stored unpacked', async () => {
  const { url } = await serve(whole(packed));
  await expectDone(await run([url]));
});

test('after a broken connection the rest is fetched', async () => {
  const { url, ranges, breakConnections } = await serve(stall, whole());
  const outcome = await run([url], {
    onEvent: (event) => {
      if (event.type === 'downloading' && event.bytes === 1000) breakConnections();
    },
  });
  await expectDone(outcome);
  expect(retries(outcome)).toHaveLength(1);
  expect(ranges).toEqual([undefined, 'bytes=1000-']);
});

test('a transfer that ends too early is a failure', async () => {
  const { url } = await serve(truncate(70_000), whole());
  const outcome = await run([url]);
  await expectDone(outcome);
  expect(retries(outcome)).toHaveLength(1);
});

test('a later run goes on where an earlier one stopped', async () => {
  const { url, ranges } = await serve(whole());
  const outcome = await run([url], { part: content.subarray(0, 123_456) });
  await expectDone(outcome);
  expect(ranges).toEqual(['bytes=123456-']);
});

test('a part that is already complete is only verified', async () => {
  const { url, ranges } = await serve(whole());
  const outcome = await run([url], { part: content });
  await expectDone(outcome);
  expect(ranges).toEqual([`bytes=${content.length}-`]);
  expect(outcome.events.map(({ type }) => type)).toEqual(['verified']);
});

test('a server that ignores ranges sends it all again', async () => {
  const { url, ranges } = await serve(ignoreRange);
  await expectDone(await run([url], { part: content.subarray(0, 5000) }));
  expect(ranges).toEqual(['bytes=5000-']);
});

test('a part that is longer than the file is dropped', async () => {
  const { url, ranges } = await serve(whole());
  const outcome = await run([url], { part: Buffer.concat([content, content]) });
  await expectDone(outcome);
  expect(retries(outcome)[0]).toMatch(/cannot go on at byte 400,000/);
  expect(ranges).toEqual(['bytes=400000-', undefined]);
});

test('a part with wrong bytes is found by the sum and dropped', async () => {
  const { url, ranges } = await serve(whole());
  const outcome = await run([url], { part: Buffer.alloc(2000, 9) });
  await expectDone(outcome);
  expect(retries(outcome)[0]).toMatch(new RegExp(`expected SHA-256 ${sha256}, found [0-9a-f]{64}`));
  expect(ranges).toEqual(['bytes=2000-', undefined]);
});

test('a silent server is left for the next mirror', async () => {
  const silent = await serve(stall);
  const good = await serve(whole());
  const outcome = await run([silent.url, good.url], { stallTimeoutMs: 2_000 });
  await expectDone(outcome);
  expect(retries(outcome)).toEqual(['the server sent nothing for 2 s']);
});

test('a server that never answers is left for the next mirror', async () => {
  const silent = await serve(() => undefined);
  const good = await serve(whole());
  const outcome = await run([silent.url, good.url], { stallTimeoutMs: 2_000 });
  await expectDone(outcome);
  expect(retries(outcome)).toEqual(['the server sent nothing for 2 s']);
});

test('a corrupt mirror is left for the next, without its bytes', async () => {
  const bad = await serve(corrupt);
  const good = await serve(whole());
  const outcome = await run([bad.url, good.url]);
  await expectDone(outcome);
  expect(retries(outcome)[0]).toMatch(/expected SHA-256/);
  expect(good.ranges).toEqual([undefined]);
});

test('a truncated gzip file of the right length is found and dropped', async () => {
  const bad = await serve(whole(packed.subarray(0, packed.length - 2000)));
  const good = await serve(whole(packed));
  const outcome = await run([bad.url, good.url]);
  await expectDone(outcome);
  expect(retries(outcome)[0]).toMatch(/expected a whole gzip file, found one that ends too early/);
});

test('redirects are followed, with the range', async () => {
  const target = await serve(whole());
  const { url } = await serve(redirectTo(target.url));
  await expectDone(await run([url], { part: content.subarray(0, 999) }));
  expect(target.ranges).toEqual(['bytes=999-']);
});

test('an endless redirect fails', async () => {
  const { url } = await serve(redirectTo('/file'));
  const { error } = await run([url], { rounds: 1 });
  expect(error).toMatchObject({ code: 'DOWNLOAD_FAILED', message: expect.stringMatching(/redirect/) });
});

test('a file that is larger than allowed is not stored', async () => {
  const { url } = await serve(whole());
  const { error, directory } = await run([url], { rounds: 1, maxBytes: 1000 });
  expect(error).toMatchObject({ message: expect.stringMatching(/expected at most 1,000 bytes/) });
  expect(await readdir(directory)).not.toContain('file');
});

test('a small file that unpacks to more than allowed is not stored', async () => {
  const { url } = await serve(whole(gzipSync(Buffer.alloc(content.length))));
  const { error, directory } = await run([url], { rounds: 1, maxBytes: 10_000 });
  expect(error).toMatchObject({ message: expect.stringMatching(/unpacks to more than 10,000 bytes/) });
  expect(await readdir(directory)).toEqual([]);
});

test('when nothing works, the error gives the reason for each address', async () => {
  const first = await serve(fail(404));
  const second = await serve(fail(503));
  const unreachable = 'http://127.0.0.1:1/file';
  const outcome = await run([first.url, second.url, unreachable], { rounds: 2 });
  const { code, message, hint } = outcome.error as { code: string; message: string; hint: string };
  expect(code).toBe('DOWNLOAD_FAILED');
  expect(message.split('\n')).toHaveLength(4);
  expect(message).toContain(`${first.url}: the server answered 404 Not Found`);
  expect(message).toContain(`${second.url}: the server answered 503 Service Unavailable`);
  expect(message).toMatch(/127\.0\.0\.1:1\/file: fetch failed \(.+\)/);
  expect(hint).toMatch(/goes on where it stopped/);
  expect([first.ranges.length, second.ranges.length, retries(outcome).length]).toEqual([2, 2, 5]);
});

test('the wait doubles from round to round, and the next mirror is not waited for', async () => {
  const { url } = await serve(fail(500));
  const { events } = await run([url, url], { rounds: 3, retryDelayMs: 1 });
  const delays = events.flatMap((event) => (event.type === 'retry' ? [event.delayMs] : []));
  expect(delays).toEqual([0, 1, 0, 2, 0]);
});

test('a signal stops the transfer and what has arrived is kept', async () => {
  const controller = new AbortController();
  const { url } = await serve(stall);
  const onEvent = (event: DataEvent): void => {
    if (event.type === 'downloading') controller.abort();
  };
  const { error, directory } = await run([url], { signal: controller.signal, onEvent });
  expect(error).toMatchObject({ code: 'CANCELLED' });
  expect(await readdir(directory)).toEqual(['file.part']);
});

test('a signal stops the wait between attempts', async () => {
  const controller = new AbortController();
  const { url } = await serve(fail(500));
  const onEvent = (event: DataEvent): void => {
    if (event.type === 'retry') controller.abort();
  };
  const { error } = await run([url], { signal: controller.signal, onEvent, retryDelayMs: 3_600_000 });
  expect(error).toMatchObject({ code: 'CANCELLED' });
});

test('a disk that refuses ends it at once', async () => {
  const { url, ranges } = await serve(whole());
  const file = join(await folder(), 'not-a-folder');
  await writeFile(file, '');
  await expect(download([url], join(file, 'x'), { sha256 })).rejects.toMatchObject({
    code: 'FILE_WRITE_FAILED',
  });
  expect(ranges).toEqual([]);
});

test('no address is a mistake of the caller', async () => {
  await expect(download([], 'x', { sha256 })).rejects.toThrow(RangeError);
});
