import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type GradwireOptions, type GradwireProcess, startGradwire } from './gradwire.ts';
import { createTemporaryFolder } from './temporary-folder.ts';

/** The parts of `summary.json` that tests look at. */
export interface SummaryFile {
  readonly outcome: string;
  readonly steps: number;
  readonly samplesSeen: number;
  readonly testAccuracy: number;
  readonly testLoss: number;
  readonly weightsSha256: string;
  readonly exact: true | string;
  readonly workers: readonly { name: string; leases: number; numericsClass: string }[];
}

/**
 * Runs `gradwire train` in a folder of its own and returns its summary. `during` gets the running process, for
 * killing workers and the like.
 */
export async function train(
  args: readonly string[],
  options: GradwireOptions & { during?: (run: GradwireProcess) => Promise<void> } = {},
): Promise<SummaryFile> {
  await using folder = await createTemporaryFolder();
  await using run = startGradwire(['train', '--json', '--run-dir', folder.path, ...args], options);
  await options.during?.(run);
  const code = await run.exited;
  if (code !== 0) throw new Error(`gradwire train ended with ${code}:\n${run.output.stderr}`);
  return JSON.parse(await readFile(join(folder.path, 'latest', 'summary.json'), 'utf8')) as SummaryFile;
}
