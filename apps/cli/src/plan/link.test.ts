import { InvalidArgumentError } from 'commander';
import { expect, test } from 'vitest';
import { describeLink, loopback, parseLink } from './link.ts';

test.each([
  ['20mbit,50ms', 20e6, 20e6, 50, '20 Mbit/s, 50 ms round trip'],
  ['100Mbit/512kbit,7.5ms', 100e6, 512e3, 7.5, '100 Mbit/s down, 0.512 Mbit/s up, 7.5 ms round trip'],
  ['1gbit,0ms', 1e9, 1e9, 0, '1000 Mbit/s, 0 ms round trip'],
])('%s is read, and said', (text, downBitsPerSecond, upBitsPerSecond, roundTripMs, said) => {
  expect(parseLink(text)).toEqual({ downBitsPerSecond, upBitsPerSecond, roundTripMs });
  expect(describeLink(parseLink(text))).toBe(said);
});

test.each(['', '20mbit', '20,50', '0mbit,5ms', '-1mbit,5ms', '20mbit,50s', '20mbit/,5ms'])(
  '"%s" is refused',
  (text) => {
    expect(() => parseLink(text)).toThrow(InvalidArgumentError);
  },
);

test('loopback is no link', () => {
  expect(describeLink(loopback)).toBe('on one machine');
});
