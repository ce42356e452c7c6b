/** What each code means, in a sentence. The list is closed: a new kind of failure gets a new line here. */
export const errorCodes = {
  BACKEND_UNAVAILABLE: 'The requested compute backend cannot be loaded on this machine.',
  CANCELLED: 'The operation was stopped on request.',
  CONNECTION_FAILED: 'The other machine could not be reached, or the connection broke.',
  CONNECTION_REFUSED: 'The other side closed the connection for a reason it stated.',
  DATA_CORRUPT: 'A data file or chunk is truncated, damaged or not what it claims to be.',
  DATA_MISMATCH: 'Two pieces of data that belong together do not fit (counts, shapes, sums).',
  DATA_NOT_FOUND: 'No source had the data set, or a file does not exist.',
  DOWNLOAD_FAILED: 'A download did not succeed from any mirror.',
  FILE_CORRUPT: 'A model, snapshot or run file is torn, damaged or of another version.',
  FILE_WRITE_FAILED: 'A file could not be written completely (disk full, permission, limit).',
  IDENTITY_WRONG: 'The other side is not the coordinator that printed the address: it cannot prove it.',
  INTERNAL: 'A defect of Gradwire itself.',
  MESSAGE_INVALID: 'A message broke the protocol: wrong size, wrong shape, wrong order.',
  NON_FINITE: 'A gradient or loss is NaN or infinite.',
  OPTION_INVALID: 'A command-line option, variable or configuration value is not acceptable.',
  RECIPE_INVALID: 'A recipe has a missing, unknown or impossible setting.',
  RECIPE_MISMATCH: 'Two machines hold different recipes under one name.',
  RUN_TAKEN: 'Another coordinator has taken over the run.',
  TOKEN_WRONG: 'The join token is missing or wrong.',
  VERSION_MISMATCH: 'The two sides speak different protocol versions.',
  WORKER_FAILED: 'A worker failed while it computed a lease.',
  WRONG_NUMBERS: 'A worker computed other numbers than most workers of its numerics class.',
} as const;

/** A code of {@link errorCodes}. */
export type ErrorCode = keyof typeof errorCodes;
