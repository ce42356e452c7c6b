import { disk, type FileSystem, withFile } from './file-system.ts';

/** Makes a new name in a directory last through a power cut. Some systems cannot sync a directory; nothing is lost by asking. */
export async function syncDirectory(path: string, files: FileSystem = disk): Promise<void> {
  if (process.platform === 'win32') return;
  await withFile(await files.open(path, 'r'), async (directory) => {
    try {
      await directory.sync();
    } catch (error) {
      if (!['EINVAL', 'ENOTSUP'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  });
}
