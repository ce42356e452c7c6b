import { mkdir, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bindingPath } from './tfjs-node-package.ts';

/**
 * Links a prepared library into tfjs-node's folder, in the places where its own installer would put the files:
 * `deps/include`, `deps/lib` and the compiled binding.
 */
export async function linkWheelLibrary(packageFolder: string, library: string): Promise<void> {
  const lib = join(library, 'lib');
  const deps = join(packageFolder, 'deps', 'lib');
  await replaceLink(join(library, 'include'), join(packageFolder, 'deps', 'include'));
  await rm(deps, { recursive: true, force: true });
  for (const name of ['libtensorflow.so', 'libtensorflow.so.2', 'libtensorflow_cc.so.2']) {
    await replaceLink(join(lib, 'libtensorflow_cc.so.2'), join(deps, name));
  }
  for (const name of ['libtensorflow_framework.so', 'libtensorflow_framework.so.2']) {
    await replaceLink(join(lib, 'libtensorflow_framework.so.2'), join(deps, name));
  }
  // Node resolves the link before it loads the file, so the binding finds the libraries beside the real one.
  await replaceLink(join(lib, 'tfjs_binding.node'), bindingPath(packageFolder));
}

async function replaceLink(target: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await rm(path, { recursive: true, force: true });
  await symlink(target, path);
}
