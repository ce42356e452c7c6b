import { expect, test } from 'vitest';
import { parseChaos } from './chaos.ts';

test('chaos is a kind of harm and an interval', () => {
  expect(parseChaos('kill/20s')).toEqual({ kind: 'kill', everyMs: 20_000 });
  expect(parseChaos('stop/0.5s')).toEqual({ kind: 'stop', everyMs: 500 });
});

test.each(['kill', 'kill/0s', 'kill/20', 'burn/20s', 'kill/-1s', ' kill/1s', ''])('%j is refused', (text) => {
  expect(() => parseChaos(text)).toThrow(/for example kill\/20s/);
});
