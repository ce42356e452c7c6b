import { expect, test } from 'vitest';
import { checkEnvironment } from './environment.ts';
import { mask } from './mask.ts';

const env = { GRADWIRE_TOKEN: 'abcdefgh', PATH: '/bin' };

test('join tokens, passwords in addresses and secret variables do not get through', () => {
  const text = [
    'gradwire worker ws://10.0.0.5:8787#s3cr3t-token --name a',
    'HTTPS_PROXY=http://ada:pass@proxy:8080',
    'Authorization: Bearer s3cr3t-token',
    'token abcdefgh was refused',
  ].join('\n');
  const out = mask(text, { home: '/home/ada', env });
  for (const secret of ['s3cr3t', 'pass@', 'ada:', 'abcdefgh']) expect(out).not.toContain(secret);
  expect(out).toContain('gradwire worker ws://10.0.0.5:8787#(secret) --name a');
  expect(out).toContain('http://(secret)@proxy:8080');
});

test('the home directory becomes ~, other folders that begin like it do not', () => {
  const options = { home: '/home/ada', env };
  expect(mask('/home/ada/.cache and /home/ada', options)).toBe('~/.cache and ~');
  expect(mask('/home/adam/runs', options)).toBe('/home/adam/runs');
  expect(mask('/home/ada.old', options)).toBe('/home/ada.old');
});

test('texts are masked wherever they are, other values are kept', () => {
  const options = { home: '/home/ada', env };
  const found = { checks: [{ folder: '/home/ada/x', free: 3, ok: true, none: null }] };
  expect(mask(found, options)).toEqual({ checks: [{ folder: '~/x', free: 3, ok: true, none: null }] });
});

test('only variables that matter are shown, secret ones without their value', () => {
  const { message, details } = checkEnvironment({
    PATH: '/bin',
    AWS_SECRET_ACCESS_KEY: 'x',
    GRADWIRE_TOKEN: 'abcdefgh',
    GRADWIRE_WORKERS: '3',
    TF_CPP_MIN_LOG_LEVEL: '0',
    https_proxy: 'http://proxy',
  });
  expect(message).toBe(
    'GRADWIRE_TOKEN=(secret)\nGRADWIRE_WORKERS=3\nTF_CPP_MIN_LOG_LEVEL=0\nhttps_proxy=http://proxy',
  );
  expect(details).toEqual({
    GRADWIRE_TOKEN: '(secret)',
    GRADWIRE_WORKERS: '3',
    TF_CPP_MIN_LOG_LEVEL: '0',
    https_proxy: 'http://proxy',
  });
});
