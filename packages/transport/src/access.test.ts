import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { type Access, createAccess, observerToken } from './index.ts';
import { answerChallenge } from './client-proof.ts';
import { createNonces, createUsedOnce } from './nonces.ts';
import { parseChallenge, proofOf } from './proof.ts';
import type { Role } from './role.ts';

const token = 'a-token_of-tests';

/** What `check` says: `in`, or the status and code of its refusal. */
function ask(access: Access, headers: IncomingMessage['headers'], role: Role = 'worker'): string {
  const answer = access.check({ headers: { host: '127.0.0.1:8787', ...headers } } as IncomingMessage, role);
  return 'status' in answer ? `${answer.status} ${answer.code}` : 'in';
}

function challengeOf(access: Access) {
  const refusal = access.check({ headers: {} } as IncomingMessage, 'worker');
  const challenge = 'status' in refusal ? parseChallenge(refusal.challenge) : undefined;
  if (challenge === undefined) throw new Error('expected a challenge');
  return challenge;
}

const access = (run = 'run 1 / β'): Access => createAccess({ run, token });

test.each<[string | undefined, string]>([
  [`Bearer ${token}`, 'in'],
  [`bearer  ${token}`, 'in'],
  [`Bearer ${token}x`, '401 TOKEN_WRONG'],
  [`Bearer ${token.slice(1)}`, '401 TOKEN_WRONG'],
  [`Bearer ${token.toUpperCase()}`, '401 TOKEN_WRONG'],
  [`Bearer ${token} ${token}`, '401 TOKEN_WRONG'],
  ['Bearer ', '401 TOKEN_WRONG'],
  ['Bearer', '401 TOKEN_WRONG'],
  [`Basic ${token}`, '401 TOKEN_WRONG'],
  [token, '401 TOKEN_WRONG'],
  ['', '401 TOKEN_WRONG'],
  [undefined, '401 TOKEN_WRONG'],
  [`Bearer ${observerToken(token)}`, '403 ROLE_WRONG'],
])('the header %o as a bearer: %s', (authorization, expected) => {
  expect(ask(access(), authorization === undefined ? {} : { authorization })).toBe(expected);
});

test('a browser offers the token as a subprotocol, but a header counts more', () => {
  const protocols = { 'sec-websocket-protocol': `gradwire, gradwire.token.${token}` };
  expect(ask(access(), protocols)).toBe('in');
  expect(ask(createAccess({ run: 'r', token: 'another' }), protocols)).toBe('401 TOKEN_WRONG');
  expect(ask(access(), { ...protocols, authorization: 'Bearer x' })).toBe('401 TOKEN_WRONG');
});

test.each<[string, string | undefined, string]>([
  ['10.0.0.5:8787', undefined, 'in'],
  ['[fe80::1]:8787', undefined, 'in'],
  ['localhost:8787', undefined, 'in'],
  [`${hostname().toUpperCase()}:80`, undefined, 'in'],
  ['trainer.example', undefined, 'in'],
  ['evil.example:8787', undefined, '421 HOST_WRONG'],
  ['127.0.0.1.evil.example:8787', undefined, '421 HOST_WRONG'],
  ['', undefined, '421 HOST_WRONG'],
  ['127.0.0.1:8787', 'http://127.0.0.1:8787', 'in'],
  ['127.0.0.1:8787', 'http://localhost:5173', 'in'],
  ['127.0.0.1:8787', 'https://trainer.example', 'in'],
  ['127.0.0.1:8787', 'https://evil.example', '403 ORIGIN_WRONG'],
  ['127.0.0.1:8787', 'null', '403 ORIGIN_WRONG'],
])('a browser that was led to host %o by a page of origin %o: %s', (host, origin, expected) => {
  const own = createAccess({ run: 'r', token, hosts: ['trainer.example'] });
  const headers = { host, authorization: `Bearer ${token}`, ...(origin && { origin }) };
  expect(ask(own, headers)).toBe(expected);
});

test('a worker that answers a challenge may have been led by any name: no page can make it', () => {
  const own = access();
  const { authorization } = answerChallenge(token, challengeOf(own), 'worker');
  expect(ask(own, { host: 'coordinator.namespace.svc:8787', authorization })).toBe('in');
});

test('an empty token would let everyone in', () => {
  expect(() => createAccess({ run: 'r', token: '' })).toThrow(RangeError);
});

test.each<[string, string, Role, Role, string]>([
  ['a worker', token, 'worker', 'worker', 'in'],
  ['a worker that only looks', token, 'observer', 'observer', 'in'],
  ['a worker whose proof is for looking, where work is done', token, 'observer', 'worker', '403 ROLE_WRONG'],
  ['an observer', observerToken(token), 'observer', 'observer', 'in'],
  ['an observer that claims to be a worker', observerToken(token), 'worker', 'worker', '403 ROLE_WRONG'],
  ['an observer where work is done', observerToken(token), 'observer', 'worker', '403 ROLE_WRONG'],
  ['a stranger', 'a-guess', 'worker', 'worker', '401 TOKEN_WRONG'],
  ['a stranger that only looks', 'a-guess', 'observer', 'observer', '401 TOKEN_WRONG'],
])('%s answers a challenge', (_, secret, claimed, needed, expected) => {
  const own = access();
  const { authorization } = answerChallenge(secret, challengeOf(own), claimed);
  expect(ask(own, { authorization }, needed)).toBe(expected);
});

test('an answer counts once, and for one coordinator', () => {
  const [own, other] = [access(), access()];
  const { authorization } = answerChallenge(token, challengeOf(own), 'worker');
  expect(ask(other, { authorization })).toBe('401 TOKEN_WRONG');
  expect(ask(own, { authorization })).toBe('in');
  expect(ask(own, { authorization })).toBe('401 TOKEN_WRONG');
});

test('a challenge may be answered again, with another proof', () => {
  const own = access();
  const challenge = challengeOf(own);
  for (let count = 0; count < 3; count += 1) {
    expect(ask(own, { authorization: answerChallenge(token, challenge, 'worker').authorization })).toBe('in');
  }
});

test.each<[string, (answer: string) => string]>([
  ['another role', (answer) => answer.replace('"worker"', '"observer"')],
  ['another nonce', (answer) => answer.replace(/nonce="(.)/, 'nonce="0$1')],
  ['a nonce without a seal', (answer) => answer.replace(/nonce="[^"]*/, 'nonce="abc')],
  ['another nonce of the client', (answer) => answer.replace(/client="(.)/, 'client="0$1')],
  [
    'a changed proof',
    (answer) => answer.replace(/proof="./, (start) => `proof="${start.endsWith('A') ? 'B' : 'A'}`),
  ],
  ['a short proof', (answer) => answer.replace(/proof="./, 'proof="')],
  ['something behind', (answer) => `${answer}, x="y"`],
])('an answer with %s is refused', (_, change) => {
  const own = access();
  const { authorization } = answerChallenge(token, challengeOf(own), 'worker');
  expect(ask(own, { authorization: change(authorization) }, 'observer')).toBe('401 TOKEN_WRONG');
});

test('a challenge ends with its time, on a clock that does not jump', () => {
  let nowMs = 1_000_000;
  const nonces = createNonces(60_000, () => nowMs);
  const nonce = nonces.create();
  expect(nonces.isValid(nonce)).toBe(true);
  nowMs += 60_000;
  expect(nonces.isValid(nonce)).toBe(true);
  nowMs += 1;
  expect(nonces.isValid(nonce)).toBe(false);
  for (const made of ['', '.', 'abc', nonce.slice(1), `${nonce}0`, createNonces(60_000).create()]) {
    expect(nonces.isValid(made), made).toBe(false);
  }
});

test('what was used is remembered as long as a challenge holds, and then forgotten', () => {
  let nowMs = 0;
  const used = createUsedOnce(10, () => nowMs);
  expect(used.use('a')).toBe(true);
  for (const later of [0, 5, 10, 15, 20]) {
    nowMs = later;
    expect(used.use('a'), `${later}`).toBe(false);
  }
  nowMs = 100;
  expect(used.use('a')).toBe(true);
});

test('the proofs of the example in the protocol README', () => {
  const subject = { run: 'first', role: 'worker', nonce: 'abc', clientNonce: '0123456789abcdef' } as const;
  const sides = ['client', 'coordinator'] as const;
  const proofs = sides.map((side) => proofOf('join-token', side, subject));
  const readme = readFileSync(new URL('../../protocol/README.md', import.meta.url), 'utf8');
  for (const proof of proofs) expect(readme).toContain(`\`${proof}\``);
});
