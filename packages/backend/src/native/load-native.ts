import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { findBackend, ready, setBackend } from '#tfjs-core';
import { GradwireError } from '@gradwire/errors';
import type { PreparedBackend } from '../prepared-backend.ts';
import { hashKernels } from '../prepared-backend.ts';
import { whatIsMissing } from './check-native.ts';
import { setNativeEnvironment } from './native-environment.ts';
import { prepareOperations } from './operations/prepare-operations.ts';
import { findTfjsNode } from './tfjs-node-package.ts';

const require = createRequire(import.meta.url);
const hint = 'Run `gradwire native install`, or use --backend wasm, which needs nothing else.';

/**
 * Makes `@tensorflow/tfjs-node` the current tfjs backend, with one thread. The first call in a process decides:
 * TensorFlow reads its thread counts once, when its library is loaded. In a worker thread only after the main thread has called
 * {@link setNativeEnvironment}.
 *
 * @throws GradwireError `BACKEND_UNAVAILABLE` with the exact reason.
 */
export async function loadNative(): Promise<PreparedBackend> {
  const missing = whatIsMissing();
  if (missing !== undefined) {
    throw new GradwireError('BACKEND_UNAVAILABLE', `the native backend does not load: ${missing}`, { hint });
  }
  setNativeEnvironment();
  restoreUtilFunction();
  const { version, libraryVersion } = requireTfjsNode();
  if (findBackend('tensorflow') === null) {
    throw new GradwireError(
      'BACKEND_UNAVAILABLE',
      '@tensorflow/tfjs-node uses another copy of @tensorflow/tfjs-core',
      {
        hint: 'Install one version of all @tensorflow packages (4.22.0).',
      },
    );
  }
  await setBackend('tensorflow');
  await ready();
  const operations = prepareOperations();
  const oneDnn = operations === 'one-dnn' ? ' with oneDNN' : '';
  return {
    name: 'native',
    description: `TensorFlow ${libraryVersion}${oneDnn}, one thread (tfjs-node ${version})`,
    kernelHash: await hashKernels('native', version, libraryVersion, String(librarySize()), operations),
    version,
  };
}

/** tfjs-node 4.22 calls a function that Node 23 removed and Node 22 warns about. */
function restoreUtilFunction(): void {
  const util = require('node:util') as { isNullOrUndefined?: (value: unknown) => boolean };
  util.isNullOrUndefined = (value) => value === null || value === undefined;
}

function requireTfjsNode(): { version: string; libraryVersion: string } {
  try {
    const module = require('@tensorflow/tfjs-node') as { version: Record<string, string> };
    const backend = findBackend('tensorflow') as { binding?: { TF_Version: string } } | null;
    const libraryVersion = backend?.binding?.TF_Version ?? 'unknown';
    return { version: module.version['tfjs-node'] ?? 'unknown', libraryVersion };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new GradwireError('BACKEND_UNAVAILABLE', `the native backend does not load: ${reason}`, {
      cause,
      hint,
    });
  }
}

/** Tells builds of one TensorFlow version apart; hashing 600 MB would take seconds at each start. */
function librarySize(): number {
  const folder = join(findTfjsNode() ?? '', 'deps', 'lib');
  const names = { linux: 'libtensorflow.so.2', darwin: 'libtensorflow.2.dylib', win32: 'tensorflow.dll' };
  const name = names[process.platform as keyof typeof names];
  return statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0;
}
