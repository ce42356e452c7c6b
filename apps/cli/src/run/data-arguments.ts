import { relativePath } from '../output/relative-path.ts';

/** Where the data came from, as arguments of the next command. */
export function dataArguments({ dataDir }: { readonly dataDir?: string }): string[] {
  return dataDir === undefined ? [] : ['--data-dir', relativePath(dataDir)];
}
