/**
 * Those who do not belong: `node attackers.mjs '{"port", "token", "strangers", "garbage", "silent"}'`. Each comes back a
 * second after it was dropped, until standard input ends. Says {"dropped": {…}, "open": n} on stdout twice a second.
 *
 * - strangers ask for an upgrade without a token
 * - garbage: every second one knows the token and sends frames of nonsense, the others send nonsense instead of HTTP
 * - silent: connect, and say nothing
 */
import { connect } from 'node:net';

const { port, token, ...counts } = JSON.parse(process.argv[2]);
const pauseMs = 1_000;
const dropped = { strangers: 0, garbage: 0, silent: 0 };
const sockets = new Set();

/** The header of an upgrade. */
function upgrade(authorization) {
  const lines = [
    'GET / HTTP/1.1',
    'Host: 127.0.0.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    'Sec-WebSocket-Protocol: gradwire',
    ...(authorization ? [`Authorization: ${authorization}`] : []),
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** Binary messages, masked with zeros, of bytes that mean nothing: 0xdd, which msgpack takes for a huge array. */
const nonsense = Buffer.concat(
  Array.from({ length: 16 }, () =>
    Buffer.concat([Buffer.from([0x82, 0x80 | 100, 0, 0, 0, 0]), Buffer.alloc(100, 0xdd)]),
  ),
);

const attacks = {
  strangers: (socket) => socket.write(upgrade()),
  garbage(socket, index) {
    if (index % 2 === 1) return socket.write(nonsense);
    socket.write(upgrade(`Bearer ${token}`));
    socket.once('data', () => socket.write(nonsense));
  },
  silent() {},
};

function come(kind, index) {
  const socket = connect(port, '127.0.0.1', () => attacks[kind](socket, index));
  sockets.add(socket);
  socket.resume().on('error', () => {});
  socket.once('close', () => {
    sockets.delete(socket);
    dropped[kind] += 1;
    setTimeout(come, pauseMs, kind, index).unref();
  });
}

for (const [kind, count] of Object.entries(counts))
  for (let index = 0; index < count; index += 1) come(kind, index);
const report = setInterval(() => console.log(JSON.stringify({ dropped, open: sockets.size })), 500);
process.stdin.resume().once('end', () => {
  clearInterval(report);
  process.exit();
});
