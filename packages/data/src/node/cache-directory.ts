import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** The parts of a machine that decide where its caches are. */
export interface CacheEnvironment {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly platform?: NodeJS.Platform;
  readonly home?: string;
}

/**
 * The folder for everything that can be fetched again: `$XDG_CACHE_HOME/gradwire`, on Windows
 * `%LOCALAPPDATA%\gradwire`, else `~/.cache/gradwire`. It may not exist yet.
 *
 * Source: XDG Base Directory Specification (a relative `XDG_CACHE_HOME` counts as unset).
 */
export function defaultCacheDirectory({
  env = process.env,
  platform = process.platform,
  home = homedir(),
}: CacheEnvironment = {}): string {
  const { XDG_CACHE_HOME: xdg, LOCALAPPDATA: local } = env;
  if (xdg !== undefined && isAbsolute(xdg)) return join(xdg, 'gradwire');
  if (platform === 'win32' && local) return join(local, 'gradwire');
  return join(home, '.cache', 'gradwire');
}
