import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const networkTrouble = /ENOTFOUND|EAI_AGAIN|ECONN\w+|ETIMEDOUT|ENETUNREACH|E40[134]|self-signed/;

/**
 * Installs a Node of a major version into a folder, from the npm package `node`, and returns the path of its binary.
 * Returns why not where the registry cannot be reached.
 */
export async function installNode(
  major: number,
  folder: string,
): Promise<{ bin: string } | { reason: string }> {
  const args = ['install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', `node@${major}`];
  try {
    await promisify(execFile)('npm', args, { cwd: folder, shell: process.platform === 'win32' });
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    const [trouble] = networkTrouble.exec(stderr) ?? [];
    if (trouble === undefined) throw error;
    return { reason: `the npm registry cannot be reached (${trouble})` };
  }
  return { bin: join(folder, 'node_modules', 'node', 'bin', 'node') };
}
