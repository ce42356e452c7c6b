export { errorCodes } from './codes.ts';
export { GradwireError, toError } from './gradwire-error.ts';
export type { ErrorCode } from './codes.ts';
export type { GradwireErrorOptions } from './gradwire-error.ts';
