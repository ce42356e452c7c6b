import { relativePath } from '../output/relative-path.ts';
import { options } from '../settings/options.ts';
import type { RunSettings } from './host-run.ts';

/**
 * Settings that are no part of the recipe, with which a run goes on unless others are given. No secrets: files of keys by
 * their path. A certificate of our own lies in the cache folder.
 */
const names = [
  'dataDir',
  'cacheDir',
  'verify',
  'snapshotEvery',
  'exact',
  'tls',
  'tlsCert',
  'tlsKey',
  'allowHost',
] as const satisfies readonly (keyof RunSettings & keyof typeof options)[];

type Kept = (typeof names)[number];

/** What of the settings a run directory keeps. */
export function keptSettings(settings: RunSettings): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    names.filter((name) => isOn(settings[name])).map((name) => [name, settings[name]]),
  );
}

/**
 * The settings with those of before where none were given.
 *
 * @returns `again`: the options that are taken from before, as somebody would write them.
 */
export function withKept(
  settings: RunSettings,
  before: Readonly<Record<string, unknown>> = {},
): { readonly settings: RunSettings; readonly again: readonly string[] } {
  // A certificate and its key, or one of our own, are one choice.
  const hasTls = (settings.tls ?? settings.tlsCert ?? settings.tlsKey) !== undefined;
  const taken = names.filter(
    (name) => settings[name] === undefined && isOn(before[name]) && !(hasTls && name.startsWith('tls')),
  );
  const more = Object.fromEntries(taken.map((name) => [name, before[name]]));
  return { settings: { ...settings, ...more }, again: taken.map((name) => write(name, before[name])) };
}

/** What was switched off is as if nobody had given it. */
function isOn(value: unknown): boolean {
  return value !== undefined && value !== false;
}

function write(name: Kept, value: unknown): string {
  const { long } = options[name]();
  if (value === true) return `${long}`;
  const isPath = name.endsWith('Dir') || name === 'tlsCert' || name === 'tlsKey';
  return `${long} ${isPath ? relativePath(String(value)) : String(value)}`;
}
