import { expect, test } from 'vitest';
import type { RunSettings } from './host-run.ts';
import { keptSettings, withKept } from './kept-settings.ts';

const settings: RunSettings = { recipe: 'mnist-fast', host: '127.0.0.1', port: 0, runDir: 'runs' };

test('a run goes on with the settings of before, and says so', () => {
  const kept = keptSettings({ ...settings, snapshotEvery: 7, verify: 0.2 });
  expect(withKept(settings, kept)).toEqual({
    settings: { ...settings, snapshotEvery: 7, verify: 0.2 },
    again: ['--verify 0.2', '--snapshot-every 7'],
  });
});

test('what is given now goes before', () => {
  const kept = keptSettings({ ...settings, snapshotEvery: 7 });
  const now = { ...settings, snapshotEvery: 9 };
  expect(withKept(now, kept)).toEqual({ settings: now, again: [] });
});

test('what was switched off needs no flag', () => {
  const now = { ...settings, exact: false };
  expect(keptSettings(now)).toEqual({});
  expect(withKept(now, { exact: true })).toEqual({ settings: now, again: [] });
});
