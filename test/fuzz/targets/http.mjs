import * as fc from 'fast-check';
import { byteChanges, changeBytes } from '../mutate.mjs';
import { startVictim } from '../wire.mjs';

const hash = 'ab'.repeat(32);
const paths = [
  '/status',
  '/drain',
  '/link?bytes=100',
  `/data/${hash}`,
  '/data/../../../../etc/passwd',
  '/data/..%2f..%2fetc%2fpasswd',
  '/data/%00',
  '/data/__proto__',
  '/__proto__',
  '/constructor',
  '//',
  '*',
  'http://elsewhere/status',
  `/${'a'.repeat(9_000)}`,
];
const known = [100, 200, 400, 401, 403, 404, 405, 408, 411, 413, 414, 417, 421, 426, 431, 503];

/** Requests to a coordinator's HTTP side: methods, paths, headers, chunk names and bodies; then bytes changed anywhere. */
export async function createTarget() {
  const victim = await startVictim();
  const word = fc.oneof(
    fc.constantFrom('', '0', '-1', '1e9', 'chunked', 'keep-alive', 'x'),
    fc.string({ maxLength: 20 }),
  );
  const header = fc.tuple(
    fc.constantFrom(
      'Content-Length',
      'Transfer-Encoding',
      'Connection',
      'Host',
      'Origin',
      'Expect',
      'Upgrade',
      'Range',
      'Authorization',
      'X-\u00e9',
    ),
    fc.oneof(
      word,
      fc.constant(`Bearer ${victim.token}`),
      fc.constant(`Gradwire role="worker", nonce="a", client="${'b'.repeat(20)}", proof="${'c'.repeat(43)}"`),
      fc.constantFrom('websocket', '100-continue', 'bytes=0-', 'http://127.0.0.1', 'a'.repeat(20_000)),
    ),
  );
  const request = fc.record({
    method: fc.constantFrom(
      'GET',
      'GET',
      'POST',
      'PUT',
      'HEAD',
      'OPTIONS',
      'CONNECT',
      'TRACE',
      'G\u00c9T',
      '',
    ),
    path: fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom(...paths) },
      { weight: 1, arbitrary: fc.string({ maxLength: 40 }).map((text) => `/data/${text}`) },
    ),
    version: fc.constantFrom('1.1', '1.1', '1.1', '1.0', '0.9', '2.0', '9'),
    isKnown: fc.boolean(),
    headers: fc.array(header, { maxLength: 4 }),
    body: fc.constantFrom(
      '',
      '{"worker":"w"}',
      '{"worker":',
      '{"worker":{"a":1}}',
      'null',
      '5\r\nhello\r\n0\r\n\r\n',
      'x'.repeat(70_000),
    ),
    changes: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: byteChanges }),
  });
  return {
    inputs: fc.array(request, { minLength: 1, maxLength: 3 }),
    codes: [],
    async run(requests) {
      const bytes = requests.map((each) => each.changes.reduce(changeBytes, encode(each, victim.token)));
      const answer = (await victim.send(Buffer.concat(bytes))).toString('latin1');
      for (const [, status] of answer.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)) {
        if (!known.includes(Number(status)))
          throw new Error(`answered with ${status}: ${answer.slice(0, 500)}`);
      }
      if (/root:|node_modules|\.ts:\d|\.js:\d/.test(answer))
        throw new Error(`it tells too much: ${answer.slice(0, 500)}`);
    },
    close: victim.close,
  };
}

function encode({ method, path, version, isKnown, headers, body }, token) {
  const lines = [
    `${method} ${path} HTTP/${version}`,
    'Host: 127.0.0.1',
    ...(isKnown ? [`Authorization: Bearer ${token}`] : []),
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...(body !== '' && !headers.some(([name]) => name === 'Content-Length')
      ? [`Content-Length: ${body.length}`]
      : []),
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1');
}
