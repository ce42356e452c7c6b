/**
 * Clients that answer every lease at once with ready-made partials, all in this process:
 * `node synthetic-workers.mjs WORKERS STEPS_A_SECOND`, 0 for as many as can be; the first line on stdin is what the
 * coordinator's host said when it was ready, with the number of parameters.
 */
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { treeCover } from '@gradwire/engine';
import { decodeMessage, encodeMessage, messageLimits, protocolVersion } from '@gradwire/protocol';
import { connectChannel } from '@gradwire/transport';

const [workers, stepsPerSecond] = process.argv.slice(2).map(Number);
const limits = messageLimits({ role: 'coordinator' });

for await (const line of createInterface({ input: process.stdin })) {
  const { url, token, parameters } = JSON.parse(line);
  const gradient = new Float32Array(parameters).fill(1e-3);
  for (let index = 0; index < workers; index++)
    void work({ url, token, gradient, name: `synthetic-${index}` });
}
process.exit();

async function work({ url, token, gradient, name }) {
  const channel = await connectChannel(url, { token, maxFrameBytes: limits.maxFrameBytes });
  const send = (message) => channel.send(encodeMessage(message));
  send({
    type: 'hello',
    protocol: protocolVersion,
    software: 'synthetic',
    name,
    backend: 'wasm',
    threads: 1,
  });
  let dueMs = performance.now();
  for await (const frame of channel.frames) {
    // Weights are not looked at, and not decoded: only the coordinator is measured.
    if (frame.byteLength > 4 * gradient.length) continue;
    const message = decodeMessage(frame, limits);
    if (message.type === 'welcome') send({ type: 'ready', numericsClass: 'synthetic' });
    if (message.type === 'prepare') send({ type: 'prepared', shards: message.shards, fetchedBytes: 0 });
    if (message.type !== 'lease') continue;
    dueMs = Math.max(dueMs + (stepsPerSecond > 0 ? 1000 / stepsPerSecond : 0), performance.now());
    if (stepsPerSecond > 0) await delay(dueMs - performance.now());
    for (const partial of partials(message, gradient)) send(partial);
    await channel.drained();
  }
}

/** The fewest nodes that cover the lease; a shard has one sample. */
function partials({ term, round, leaves, leafCount }, gradient) {
  return treeCover(leaves, leafCount).map(({ lo, hi }) => {
    const samples = hi - lo;
    // Loss sum and correct answers.
    const metrics = Float64Array.of(samples, samples);
    return { type: 'partial', term, round, lo, hi, samples, computeMs: samples, gradient, metrics };
  });
}
