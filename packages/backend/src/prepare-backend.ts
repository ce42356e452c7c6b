import type { PreparedBackend } from './prepared-backend.ts';

// What loads tfjs is imported where it is needed: a process whose threads compute needs none itself. So is what looks for
// native: threads do not.

/** What a caller may ask for. */
export type BackendChoice = 'auto' | 'wasm' | 'native';

/** The state of one backend on this machine. */
export interface BackendProbe {
  readonly name: 'wasm' | 'native';
  readonly ok: boolean;
  /** Why it does not work. */
  readonly reason?: string;
}

/**
 * Readies a tfjs backend with one compute thread and makes it the current one.
 *
 * `auto` is wasm: it loads everywhere, its bits are the same on every machine, so that any workers may share a run, and
 * on our kernels it is faster than native (`npm run bench -- gradient`). Ask for native by name.
 *
 * @throws GradwireError `BACKEND_UNAVAILABLE` with the exact reason and what to do.
 * @throws RangeError for any other name.
 * @example
 * const backend = await prepareBackend('wasm');
 * console.log(backend.description);
 */
export function prepareBackend(choice: BackendChoice): Promise<PreparedBackend> {
  const prepared = latest.then(() => prepare(choice));
  latest = prepared.catch(() => undefined);
  return prepared;
}

// One after the other: of two that initialise at once, tfjs gives up the first.
let latest: Promise<unknown> = Promise.resolve();

/** The backend that {@link prepareBackend} takes for a choice. */
export function backendName(choice: BackendChoice): PreparedBackend['name'] {
  return choice === 'auto' ? 'wasm' : choice;
}

async function prepare(choice: BackendChoice): Promise<PreparedBackend> {
  const name = backendName(choice);
  if (name === 'wasm') return (await import('./wasm/load-wasm.ts')).loadWasm();
  if (name === 'native') return (await import('./native/load-native.ts')).loadNative();
  throw new RangeError(`choice: expected auto, wasm or native, found ${String(name)}`);
}

/** Tries every backend, native in a process of its own. The current backend of this process stays. */
export async function probeBackends(): Promise<BackendProbe[]> {
  const { getBackend, setBackend } = await import('#tfjs-core');
  const current = getBackend();
  const wasm = await probeWasm();
  if (current !== undefined && current !== getBackend()) await setBackend(current);
  const { checkNative } = await import('./native/check-native.ts');
  return [wasm, { name: 'native', ...(await checkNative()) }];
}

async function probeWasm(): Promise<BackendProbe> {
  try {
    await (await import('./wasm/load-wasm.ts')).loadWasm();
    return { name: 'wasm', ok: true };
  } catch (error) {
    return { name: 'wasm', ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
}
