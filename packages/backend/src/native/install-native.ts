import { rename, copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GradwireError } from '@gradwire/errors';
import { checkNative } from './check-native.ts';
import { linkWheelLibrary } from './link-library.ts';
import { prepareWheelLibrary } from './wheel-library.ts';
import { runCommand } from './run-command.ts';
import { findTfjsNode } from './tfjs-node-package.ts';

/** One line of an installation's progress. */
export interface InstallEvent {
  /** What is being done: looking at what is there, the package's own download, PyPI's wheel, the final test. */
  step: 'check' | 'download' | 'wheel' | 'verify';
  /** A line for a person. */
  message: string;
}

/** Options of {@link installNative}. */
export interface InstallNativeOptions {
  /** A folder that lasts: the library (600 MB unpacked) is kept in its subfolder `native`, so a reinstall is quick. */
  cacheDirectory: string;
  /** Where the library comes from: `package` (its own install script), `wheel` (PyPI) or, by default, one after the other. */
  source?: 'package' | 'wheel' | 'any';
  /** Receives the progress. */
  onEvent?: (event: InstallEvent) => void;
  /** Stops the installation; it can be run again. */
  signal?: AbortSignal;
}

/**
 * Completes the optional native backend: the package's own way first, else the library in PyPI's wheel of
 * tensorflow-cpu with the binding compiled here. Does nothing when the backend works already; may be run again
 * after any failure.
 *
 * @throws GradwireError `BACKEND_UNAVAILABLE` with what is missing and what to do, `CANCELLED` on `signal`.
 * @example
 * await installNative({ cacheDirectory: '/var/cache/gradwire', onEvent: (event) => console.error(event.message) });
 */
export async function installNative(options: InstallNativeOptions): Promise<void> {
  const report = (step: InstallEvent['step'], message: string): void => options.onEvent?.({ step, message });
  const folder = findTfjsNode();
  if (folder === undefined) {
    throw new GradwireError('BACKEND_UNAVAILABLE', 'the package @tensorflow/tfjs-node is not installed', {
      hint: 'npm drops it where its own build script cannot download: run `npm install --ignore-scripts` (without --omit=optional), then this command again.',
    });
  }
  report('check', `looking at ${folder}`);
  const before = await checkNative();
  if (before.ok) return report('check', 'the native backend works already; nothing to do');
  report('check', `the native backend does not work yet: ${before.reason}`);

  const source = options.source ?? 'any';
  const failures: string[] = [];
  if (source !== 'wheel') {
    const failure = await installFromPackage(folder, options.signal, (line) => report('download', line));
    if (failure === undefined) return report('verify', 'the native backend works');
    failures.push(`package: ${failure}`);
    report('download', `the package's own way failed: ${failure}`);
  }
  if (source !== 'package') {
    const failure = await installFromWheel(folder, options, (line) => report('wheel', line)).catch(
      (error) => {
        throw withEarlier(failures, error);
      },
    );
    if (failure === undefined) return report('verify', 'the native backend works');
    failures.push(`wheel: ${failure}`);
  }
  throw new GradwireError(
    'BACKEND_UNAVAILABLE',
    `the native backend could not be installed (${failures.join('; ')})`,
    {
      hint: 'Use --backend wasm, which needs nothing else; `gradwire doctor` shows the state of both backends.',
    },
  );
}

/** The wheel's error, with what the package's own way said before it. */
function withEarlier(failures: readonly string[], error: unknown): unknown {
  if (!(error instanceof GradwireError) || error.code !== 'BACKEND_UNAVAILABLE' || failures.length === 0)
    return error;
  const { code, message, hint } = error;
  const text = `${failures.join('; ')}; wheel: ${message}`;
  return new GradwireError(code, text, { cause: error, ...(hint !== undefined && { hint }) });
}

/** Resolves to undefined when the backend then works, else to the reason. */
async function installFromWheel(
  packageFolder: string,
  { cacheDirectory, signal }: InstallNativeOptions,
  onLine: (line: string) => void,
): Promise<string | undefined> {
  const library = await prepareWheelLibrary({ packageFolder, cacheDirectory, signal, onLine });
  await linkWheelLibrary(packageFolder, library);
  const check = await checkNative();
  return check.ok ? undefined : (check.reason ?? 'unknown');
}

/** Runs tfjs-node's install script; resolves to undefined when the backend then works, else to the reason. */
async function installFromPackage(
  folder: string,
  signal: AbortSignal | undefined,
  onLine: (line: string) => void,
): Promise<string | undefined> {
  const blocked = await whyUnreachable(signal);
  if (blocked !== undefined) return blocked;
  await ownPackageJson(folder);
  const tools = join(folder, 'node_modules', '.bin');
  const result = await runCommand(process.execPath, ['scripts/install.js'], {
    cwd: folder,
    env: {
      ...process.env,
      PATH: `${tools}${process.platform === 'win32' ? ';' : ':'}${process.env['PATH']}`,
    },
    onLine,
    signal,
    timeoutMs: 15 * 60_000,
  });
  if (!result.ok) return result.output.split('\n').slice(-3).join(' | ');
  const check = await checkNative();
  return check.ok ? undefined : (check.reason ?? 'unknown');
}

const defaultHost = 'https://storage.googleapis.com/';

/** Asks the download server once: the install script itself would end in a stack trace, or wait for ever. */
async function whyUnreachable(signal: AbortSignal | undefined): Promise<string | undefined> {
  const { HTTPS_PROXY, https_proxy, HTTP_PROXY, http_proxy } = process.env;
  // The script knows proxies, fetch does not (Node 20): then its own attempt is the only test.
  if (HTTPS_PROXY || https_proxy || HTTP_PROXY || http_proxy) return undefined;
  const base = process.env['TFJS_NODE_BASE_URI'] ?? process.env['TFJS_NODE_CDN_STORAGE'] ?? defaultHost;
  // Asked below too: Node may collect a timeout that only `AbortSignal.any` knows, and then it never comes.
  const limit = AbortSignal.timeout(10_000);
  try {
    const request = { method: 'HEAD', signal: signal ? AbortSignal.any([signal, limit]) : limit };
    await fetch(new URL('/', base), request);
    return undefined;
  } catch (error) {
    if (signal?.aborted) throw new GradwireError('CANCELLED', 'the installation was stopped on request');
    const cause =
      error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    return `${new URL(base).host} cannot be reached (${limit.aborted ? 'no answer within 10 s' : cause})`;
  }
}

/** The install script rewrites its package.json, which pnpm may share with other projects: give it a copy of its own. */
async function ownPackageJson(folder: string): Promise<void> {
  const path = join(folder, 'package.json');
  await copyFile(path, `${path}.own`);
  await rename(`${path}.own`, path);
}
