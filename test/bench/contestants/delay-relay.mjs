// Passes bytes on after a while, each way: `node delay-relay.mjs HOST PORT DELAY_MS`. Says its own port; ends with stdin.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { answerLines } from '../measure/line-process.mjs';

const [host, port, delayMs] = process.argv.slice(2);

const server = createServer((near) => {
  const far = connect(Number(port), host);
  for (const [from, to] of [
    [near, far],
    [far, near],
  ]) {
    // Timers of one length end in the order in which they began.
    const later = (task) => setTimeout(() => task(), Number(delayMs));
    from.setNoDelay(true);
    from.on('data', (chunk) => later(() => to.write(chunk)));
    from.on('close', () => later(() => to.destroy()));
    from.on('error', () => undefined);
  }
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
await answerLines(server.address().port, () => undefined);
process.exit();
