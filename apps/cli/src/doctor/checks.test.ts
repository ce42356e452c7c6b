import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkData } from './data.ts';
import { formatChecks } from './format-checks.ts';
import { checkPort } from './network.ts';
import { checkStorage } from './storage.ts';

test('a port in use is a note that names it', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  expect(await checkPort(port)).toMatchObject({ status: 'note', details: { port, free: false } });
  server.close();
  await once(server, 'close');
  expect(await checkPort(port)).toMatchObject({ status: 'ok', details: { port, free: true } });
});

test('a folder that does not exist yet is fine, one below a file is a problem', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gradwire-storage-'));
  try {
    const later = await checkStorage('run dir', join(folder, 'a', 'b'));
    expect(later.status).not.toBe('problem');
    expect(later.message).toContain(`${join(folder, 'a', 'b')} (will be made), `);
    await writeFile(join(folder, 'file'), '');
    expect(await checkStorage('run dir', join(folder, 'file', 'x'))).toMatchObject({
      name: 'run dir',
      status: 'problem',
      message: expect.stringContaining('is no folder'),
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a data folder without the files is a problem, not passed over', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'gradwire-data-'));
  try {
    const { status, message } = await checkData({ dataDir });
    expect(status).toBe('problem');
    expect(message).toContain(dataDir);
  } finally {
    await rm(dataDir, { recursive: true });
  }
});

test('the text has a line for each check, and says what is wrong at the end', () => {
  const text = formatChecks([
    { name: 'node', status: 'ok', message: '22' },
    { name: 'data', status: 'problem', message: 'first\nsecond', hint: 'Do this.' },
  ]);
  expect(text.split('\n')).toEqual([
    'ok       node  22',
    'problem  data  first',
    '               second',
    '               to do: Do this.',
    '',
    '1 problem: data.',
  ]);
});
