export { cos, exp, log, sin } from './elementary.ts';
export { normal } from './normal.ts';
export { permutation } from './permutation.ts';
export { philox4x32 } from './philox.ts';
export { streams } from './random-key.ts';
export { randomWords } from './random-words.ts';
export { uniform } from './uniform.ts';
export type { RandomKey, StreamName } from './random-key.ts';
export type { UniformRange } from './uniform.ts';
