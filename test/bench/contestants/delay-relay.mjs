// Passes bytes on after a while, each way: `node delay-relay.mjs HOST PORT DELAY_MS [LOSS SEED]`. Says its own port, then how many packets
// were lost whenever it is asked; ends with stdin.
// A lost packet holds up itself and all behind it for a round trip more, until it has been sent again, as TCP does.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { answerLines } from '../measure/line-process.mjs';

const [host, port, ...numbers] = process.argv.slice(2);
const [delayMs, loss = 0, seed = 1] = numbers.map(Number);
const packetBytes = 1_448;
let state = seed;
let lost = 0;

const server = createServer((near) => {
  const far = connect(Number(port), host);
  for (const [from, to] of [
    [near, far],
    [far, near],
  ]) {
    const later = createDelay();
    from.setNoDelay(true);
    from.on('data', (chunk) => later(() => to.write(chunk), chunk.length));
    from.on('close', () => later(() => to.destroy(), 0));
    from.on('error', () => undefined);
  }
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
await answerLines(server.address().port, () => ({ lost }));
process.exit();

/** Runs tasks in order, each when the packets that it stands for would have arrived. */
function createDelay() {
  const waiting = [];
  let lastMs = 0;
  const runDue = () => {
    while (waiting.length > 0 && waiting[0].atMs <= performance.now()) waiting.shift().task();
    if (waiting.length > 0) setTimeout(runDue, waiting[0].atMs - performance.now());
  };
  return (task, bytes) => {
    lastMs = Math.max(lastMs, performance.now() + delayMs + 2 * delayMs * lostPackets(bytes));
    waiting.push({ task, atMs: lastMs });
    if (waiting.length === 1) setTimeout(runDue, lastMs - performance.now());
  };
}

/** 1 if a packet of the chunk is lost: those lost together are sent again together. */
function lostPackets(bytes) {
  if (loss === 0) return 0;
  for (let packet = 0; packet < Math.ceil(bytes / packetBytes); packet++) {
    if (draw() >= loss) continue;
    lost += 1;
    return 1;
  }
  return 0;
}

/** A linear congruential generator: which packets are lost depends on the seed alone. */
function draw() {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
}
