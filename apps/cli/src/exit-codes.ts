import { type ErrorCode, GradwireError } from '@gradwire/errors';

/** What each exit code of `gradwire` means. Listed in docs/exit-codes.md, which a test compares with this table. */
export const exitCodes = {
  ok: { code: 0, meaning: 'Done.' },
  internal: { code: 1, meaning: 'A defect of Gradwire, or an error it does not know.' },
  usage: { code: 2, meaning: 'An unknown command or option, or a value that is not acceptable.' },
  recipe: { code: 3, meaning: 'The recipe is invalid, or differs between the machines.' },
  data: { code: 4, meaning: 'Data, a model or a run file is missing or damaged.' },
  connection: { code: 5, meaning: 'The other machine cannot be reached.' },
  refused: {
    code: 6,
    meaning: 'The coordinator refused this worker, or is not the right one.',
  },
  training: { code: 7, meaning: 'The run failed: a worker failed, or a gradient was not finite.' },
  backend: { code: 8, meaning: 'The requested backend cannot be loaded or completed.' },
  write: { code: 9, meaning: 'A file could not be written.' },
  check: { code: 10, meaning: 'gradwire doctor found a problem.' },
  taken: { code: 11, meaning: 'Another coordinator has taken over the run.' },
  difference: { code: 12, meaning: 'gradwire audit, diff, reproduce or replay found a difference.' },
  interrupted: { code: 130, meaning: 'Stopped by Ctrl-C (SIGINT); a run can be resumed.' },
  terminated: { code: 143, meaning: 'Stopped by SIGTERM; a run can be resumed.' },
} as const;

type ExitName = keyof typeof exitCodes;

const byErrorCode: Record<ErrorCode, ExitName> = {
  BACKEND_UNAVAILABLE: 'backend',
  CANCELLED: 'interrupted',
  CONNECTION_FAILED: 'connection',
  CONNECTION_REFUSED: 'refused',
  DATA_CORRUPT: 'data',
  DATA_MISMATCH: 'data',
  DATA_NOT_FOUND: 'data',
  DOWNLOAD_FAILED: 'data',
  FILE_CORRUPT: 'data',
  FILE_WRITE_FAILED: 'write',
  IDENTITY_WRONG: 'refused',
  INTERNAL: 'internal',
  MESSAGE_INVALID: 'refused',
  NON_FINITE: 'training',
  OPTION_INVALID: 'usage',
  RECIPE_INVALID: 'recipe',
  RECIPE_MISMATCH: 'recipe',
  RUN_TAKEN: 'taken',
  TOKEN_WRONG: 'refused',
  VERSION_MISMATCH: 'refused',
  WORKER_FAILED: 'training',
  WRONG_NUMBERS: 'training',
};

/** The exit code for an error. */
export function exitCodeOf(error: unknown): number {
  return exitCodes[error instanceof GradwireError ? byErrorCode[error.code] : 'internal'].code;
}
