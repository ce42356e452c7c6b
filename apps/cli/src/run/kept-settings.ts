import { relativePath } from '../output/relative-path.ts';
import type { RunSettings } from './host-run.ts';

/** Settings that are no part of the recipe, with which a run goes on unless others are given. No secrets: files of keys by their path. */
const kept = {
  dataDir: '--data-dir',
  // A certificate of our own lies there.
  cacheDir: '--cache-dir',
  verify: '--verify',
  exact: '--exact',
  tls: '--tls',
  tlsCert: '--tls-cert',
  tlsKey: '--tls-key',
  allowHost: '--allow-host',
} as const satisfies Partial<Record<keyof RunSettings, string>>;

type Kept = keyof typeof kept;
const names = Object.keys(kept) as readonly Kept[];

/** What of the settings a run directory keeps. */
export function keptSettings(settings: RunSettings): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    names.flatMap((name) => (settings[name] === undefined ? [] : [[name, settings[name]]])),
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
    (name) =>
      settings[name] === undefined && before[name] !== undefined && !(hasTls && name.startsWith('tls')),
  );
  const more = Object.fromEntries(taken.map((name) => [name, before[name]]));
  return { settings: { ...settings, ...more }, again: taken.map((name) => write(name, before[name])) };
}

function write(name: Kept, value: unknown): string {
  if (value === true) return kept[name];
  const isPath = name.endsWith('Dir') || name === 'tlsCert' || name === 'tlsKey';
  return `${kept[name]} ${isPath ? relativePath(String(value)) : String(value)}`;
}
