import type { FileHandle } from 'node:fs/promises';
import { open, rm, stat } from 'node:fs/promises';
import { formatCount } from '../format-count.ts';
import type { DataEventListener } from './data-event.ts';
import { hasCode, writeFailure } from './file-failure.ts';

// `bytes 100-199/200`, or `bytes */200` where there is nothing to send.
const contentRange = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/;

/** Options of {@link fetchPart}. */
export interface FetchPartOptions {
  /** How long the server may stay silent. */
  readonly stallTimeoutMs: number;
  /** The most bytes to accept. */
  readonly maxBytes: number;
  readonly onEvent: DataEventListener;
  readonly signal: AbortSignal | undefined;
}

/**
 * Fetches `url` into the file `part`, going on where an earlier attempt stopped if the server can.
 * Resolves when the server has sent everything; whether it is right, only a sum can tell.
 * After a failure the file holds what has arrived.
 */
export async function fetchPart(url: string, part: string, options: FetchPartOptions): Promise<void> {
  const stall = createStallTimer(options.stallTimeoutMs);
  const signal = options.signal ? AbortSignal.any([options.signal, stall.signal]) : stall.signal;
  try {
    const offset = await fileSize(part);
    // `identity`, since a compressed transfer has other offsets than the file.
    const headers = { 'accept-encoding': 'identity', ...(offset > 0 && { range: `bytes=${offset}-` }) };
    const response = await fetch(url, { headers, signal });
    const range = await chooseRange(response, part, offset);
    if (range !== 'complete') await appendBody(response, part, { ...options, ...range, url, stall });
  } catch (error) {
    // What fetch throws after an abort differs between Node versions; the reason does not.
    throw signal.aborted ? signal.reason : error;
  } finally {
    stall.stop();
  }
}

interface BodyRange {
  /** Where the body's first byte belongs in the file. */
  readonly start: number;
  /** The file's size, if the server said so. */
  readonly total: number | undefined;
}

/** Which part of the file the response brings, given that we have `offset` bytes and asked for the rest. */
async function chooseRange(
  response: Response,
  part: string,
  offset: number,
): Promise<BodyRange | 'complete'> {
  const { status, statusText, headers } = response;
  if (status === 200) return { start: 0, total: parseSize(headers.get('content-length')) };
  if (status !== 206 && status !== 416)
    throw new Error(`the server answered ${status} ${statusText}`.trimEnd());

  const [, start, total] = contentRange.exec(headers.get('content-range') ?? '') ?? [];
  if (status === 206 && Number(start) === offset) return { start: offset, total: parseSize(total) };
  if (status === 416 && Number(total) === offset) return 'complete';
  // Our beginning does not fit this server's file: the next attempt starts anew.
  await rm(part, { force: true });
  throw new Error(`cannot go on at byte ${formatCount(offset)}: the server's file has another size`);
}

interface AppendOptions extends FetchPartOptions, BodyRange {
  readonly url: string;
  readonly stall: StallTimer;
}

async function appendBody(response: Response, part: string, options: AppendOptions): Promise<void> {
  const { url, start, total, maxBytes, stall, onEvent } = options;
  let bytes = start;
  const file = await openPart(part, start);
  try {
    for await (const piece of response.body ?? []) {
      stall.restart();
      bytes += piece.length;
      if (bytes > maxBytes)
        throw new Error(`expected at most ${formatCount(maxBytes)} bytes, the server sends more`);
      await append(file, part, piece);
      onEvent({ type: 'downloading', url, bytes, total });
    }
  } finally {
    await file.close();
  }
  if (total !== undefined && bytes !== total) {
    throw new Error(`expected ${formatCount(total)} bytes, found ${formatCount(bytes)}`);
  }
}

async function openPart(part: string, start: number): Promise<FileHandle> {
  try {
    return await open(part, start === 0 ? 'w' : 'a');
  } catch (error) {
    throw writeFailure(part, error);
  }
}

async function append(file: FileHandle, part: string, piece: Uint8Array): Promise<void> {
  try {
    await file.writeFile(piece);
  } catch (error) {
    throw writeFailure(part, error);
  }
}

interface StallTimer {
  /** Aborts when the timer runs out; the reason is the error to report. */
  readonly signal: AbortSignal;
  restart(): void;
  /** Ends the transfer, if it has not ended. */
  stop(): void;
}

function createStallTimer(timeoutMs: number): StallTimer {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort(new Error(`the server sent nothing for ${timeoutMs / 1000} s`));
  }, timeoutMs);
  return {
    signal: controller.signal,
    restart: () => timer.refresh(),
    stop: () => {
      clearTimeout(timer);
      // Closes the connection of a response that was not read to its end.
      controller.abort();
    },
  };
}

async function fileSize(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return 0;
    throw error;
  }
}

function parseSize(text: string | null | undefined): number | undefined {
  return text && /^\d+$/.test(text) ? Number(text) : undefined;
}
