import { join } from 'node:path';
import { disk, type FileSystem } from '@gradwire/checkpoint';
import { GradwireError, toError } from '@gradwire/errors';

/** What a run directory says of the coordinator that writes it. */
export interface ClaimContent {
  /** Hash of the recipe before overrides. */
  readonly recipeHash: string;
  readonly host: string;
  readonly port: number;
  /** What the caller wants back when the run goes on; JSON. */
  readonly settings?: Readonly<Record<string, unknown>> | undefined;
  /** Kept for a resumption: the file can be read by its owner only. */
  readonly token: string;
}

/** The file that says who writes a run directory. */
export const claimFile = 'coordinator.json';
export const claimFormat = 'gradwire-coordinator/1';

/** The claim of a run directory's last coordinator; without a token once the run has finished. */
export interface StoredClaim extends Omit<ClaimContent, 'token'> {
  /** Absent in the file of a run that is older than this field. */
  readonly runId?: string;
  readonly term: number;
  readonly owner: string;
  /** Later steps are wrong: the run was going back to before them when this was written. */
  readonly goBackTo?: number;
  readonly token?: string;
}

/** Reads the claim; undefined if nobody has made one. Throws FILE_CORRUPT. */
export async function readClaim(
  directory: string,
  files: FileSystem = disk,
): Promise<StoredClaim | undefined> {
  const path = join(directory, claimFile);
  try {
    const claim = JSON.parse((await files.readFile(path)).toString('utf8')) as StoredClaim & {
      format?: unknown;
    };
    if (claim.format === claimFormat && Number.isSafeInteger(claim.term)) return claim;
    throw new Error(`expected format ${claimFormat}, found ${String(claim.format)}`);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new GradwireError('FILE_CORRUPT', `${path}: ${toError(cause).message}`, {
      cause,
      hint: 'Remove the file: address and token of the run are then given anew.',
    });
  }
}
