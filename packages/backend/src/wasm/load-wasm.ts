import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { PreparedBackend } from '../prepared-backend.ts';
import { prepareWasm } from './prepare-wasm.ts';

const require = createRequire(import.meta.url);

/** {@link prepareWasm} with the files of the installed packages. */
export async function loadWasm(): Promise<PreparedBackend> {
  const folder = dirname(require.resolve('@tensorflow/tfjs-backend-wasm'));
  const location = join(folder, 'tfjs-backend-wasm-simd.wasm');
  const bytes = await readFile(location);
  return withoutProcessListeners(() => prepareWasm({ backend: { bytes, location } }));
}

const processEvents = ['uncaughtException', 'unhandledRejection'] as const;

/**
 * The backend's start-up code rethrows uncaught errors from a handler of its own, which hides where they came from
 * and overrides the program's choice. Removes what it adds.
 */
async function withoutProcessListeners<T>(action: () => Promise<T>): Promise<T> {
  const before = processEvents.map((event) => process.rawListeners(event));
  const result = await action();
  for (const [i, event] of processEvents.entries()) {
    for (const listener of process.rawListeners(event)) {
      if (!before[i]?.includes(listener)) process.removeListener(event, listener as () => void);
    }
  }
  return result;
}
