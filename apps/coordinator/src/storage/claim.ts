import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { type FileSystem, writeFileWhole } from '@gradwire/checkpoint';
import { GradwireError, toError } from '@gradwire/errors';
import { type ClaimContent, claimFile, claimFormat, readClaim } from './stored-claim.ts';

/** The right to write a run's files. */
export interface Claim {
  /** Random, and the same for all coordinators of the run: names and terms come again in other folders. */
  readonly runId: string;
  /** How many coordinators this run has had, this one included. */
  readonly term: number;
  /** Resolves to an error once another coordinator has taken over; undefined while the run is ours. */
  check(): Promise<GradwireError | undefined>;
  /** The step to which a coordinator before this one was going back when it ended. */
  readonly goBackTo: number | undefined;
  /**
   * Steps after this one are wrong; undefined: they are gone. Resolves when that is on disk: a coordinator that resumes the
   * run goes back as well. Rejects with FILE_WRITE_FAILED, or RUN_TAKEN.
   */
  goBack(step: number | undefined): Promise<void>;
  /** Resolves when another coordinator has taken over. */
  readonly lost: Promise<GradwireError>;
  /** The run has finished: forgets the token. */
  finish(): Promise<void>;
  /** Stops looking. */
  close(): void;
}

// A coordinator that lost its run but not its workers computes for nothing; a look costs a tenth of a millisecond.
const lookEveryMs = 1_000;

/**
 * Claims a run directory with a term above all earlier ones: whoever wrote it before stops by itself.
 * Throws FILE_WRITE_FAILED, or FILE_CORRUPT if the file of the coordinator before cannot be read.
 */
export async function claimRun(directory: string, content: ClaimContent, files?: FileSystem): Promise<Claim> {
  const path = join(directory, claimFile);
  const before = await readClaim(directory, files);
  const term = (before?.term ?? 0) + 1;
  const runId = before?.runId ?? randomUUID();
  let goBackTo = before?.goBackTo;
  // Two that start at the same moment have the same term, and the second one's file.
  const owner = randomUUID();
  const write = (claim: Partial<ClaimContent>): Promise<void> =>
    writeFileWhole(
      path,
      `${JSON.stringify({ format: claimFormat, runId, term, owner, goBackTo, ...claim }, null, 2)}\n`,
      { mode: 0o600, files },
    );
  await write(content);

  const check = async (): Promise<GradwireError | undefined> => {
    const found = await readClaim(directory, files).catch(toError);
    if (found === undefined || found instanceof Error || found.owner === owner) return undefined;
    return new GradwireError(
      'RUN_TAKEN',
      `${directory} was taken over by coordinator ${found.term}; this was ${term}`,
      {
        hint: 'Workers join the other one if it can be reached at the same address.',
      },
    );
  };
  let timer: NodeJS.Timeout | undefined;
  const lost = new Promise<GradwireError>((resolve) => {
    timer = setInterval(() => void check().then((error) => error && resolve(error)), lookEveryMs);
    timer.unref();
  });
  return {
    runId,
    term,
    check,
    lost,
    goBackTo,
    async goBack(step) {
      const taken = await check();
      if (taken) throw taken;
      goBackTo = step;
      await write(content);
    },
    async finish() {
      const { token: _, ...rest } = content;
      await write(rest);
    },
    close: () => clearInterval(timer),
  };
}
