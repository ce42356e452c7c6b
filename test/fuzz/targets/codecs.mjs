import { codecOf, createTopK, vectorCodecs } from '@gradwire/protocol';
import { exactParts } from '../messages.mjs';
import * as fc from 'fast-check';
import { byteChanges, changeBytes } from '../mutate.mjs';

/** Vectors in every codec of the wire, changed, and read back with a count that need not be theirs. */
export function createTarget() {
  const codec = fc.constantFrom(
    ...Object.values(vectorCodecs),
    createTopK(0.3),
    ...['float16', 'int8', 'top-k'].map((name) => codecOf({ codec: name }, exactParts)),
  );
  const vector = fc.array(fc.float(), { maxLength: 600 }).map((values) => Float32Array.from(values));
  return {
    inputs: fc.tuple(codec, vector, byteChanges, fc.constantFrom(0, 0, 0, 1, -1, 256, 2 ** 20)),
    codes: ['MESSAGE_INVALID'],
    run([{ encode, decode }, values, changes, more]) {
      const count = Math.max(0, values.length + more);
      const decoded = decode(changes.reduce(changeBytes, encode(values)), count);
      if (decoded.length !== count) throw new Error(`expected ${count} elements, found ${decoded.length}`);
    },
  };
}
