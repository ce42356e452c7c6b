import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runToken, tokenOf } from './token-of.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gradwire-token-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('a token comes from a file, unless it was given', async () => {
  const tokenFile = join(folder, 'token');
  await writeFile(tokenFile, 'from-a-file\n');
  expect(await tokenOf({ tokenFile })).toBe('from-a-file');
  expect(await tokenOf({ tokenFile, token: 'from-a-flag' })).toBe('from-a-flag');
  expect(await tokenOf({})).toBeUndefined();
});

test('a file that is missing or holds something else is refused, without quoting it', async () => {
  const tokenFile = join(folder, 'other');
  await expect(tokenOf({ tokenFile })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  await writeFile(tokenFile, 'secret words here');
  await expect(tokenOf({ tokenFile })).rejects.toMatchObject({
    code: 'OPTION_INVALID',
    message: expect.not.stringContaining('secret') as string,
  });
});

test.each<[string, string, boolean]>([
  ['short-one', '127.0.0.1', true],
  ['short-one', 'localhost', true],
  ['short-one', '0.0.0.0', false],
  ['short-one', '10.0.0.5', false],
  ['a-longer-one-of-16', '0.0.0.0', true],
  [`with-a-fingerprint,${'0'.repeat(64)}`, '127.0.0.1', false],
])('the token %s on %s: %o', async (token, host, isFine) => {
  const attempt = runToken({ token }, host);
  if (isFine) expect(await attempt).toBe(token);
  else await expect(attempt).rejects.toMatchObject({ code: 'OPTION_INVALID' });
});

test('without a token a run makes one, wherever it listens', async () => {
  expect(await runToken({}, '0.0.0.0')).toBeUndefined();
});
