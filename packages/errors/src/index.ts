export { errorCodes } from './codes.ts';
export { GradwireError, toError } from './gradwire-error.ts';
export { showValue } from './show-value.ts';
export type { ErrorCode } from './codes.ts';
export type { GradwireErrorOptions } from './gradwire-error.ts';
