import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);

/** The folder of the installed package `@tensorflow/tfjs-node`, or undefined where it is not installed. */
export function findTfjsNode(): string | undefined {
  try {
    return dirname(require.resolve('@tensorflow/tfjs-node/package.json'));
  } catch {
    return undefined;
  }
}

/**
 * Where tfjs-node looks for its compiled binding under this Node version. It picks the highest Node-API version
 * that both sides know (`binary.napi_versions` of its package.json: 3 to 8).
 */
export function bindingPath(packageFolder: string): string {
  const version = Math.min(8, Number(process.versions['napi'] ?? 8));
  return join(packageFolder, 'lib', `napi-v${version}`, 'tfjs_binding.node');
}
