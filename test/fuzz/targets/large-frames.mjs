import * as fc from 'fast-check';
import { load } from '../load.mjs';

/** The parts in which a large frame travels: announcements and messages in any order and size. */
export async function createTarget() {
  const { createFrameAssembler } = await load('packages/transport/dist/large-frames.js');
  const size = fc.oneof(
    fc.nat({ max: 40 }),
    fc.constantFrom(1, 2, 999, 1_000, 1_001, 4_096, 2 ** 31, 2 ** 53),
  );
  const text = fc.oneof(
    { weight: 4, arbitrary: size.map((bytes) => `frame ${bytes}`) },
    {
      weight: 1,
      arbitrary: fc.oneof(
        fc.string(),
        fc.constantFrom('frame', 'frame 1e3', 'frame -1', 'frame 007', ' frame 1'),
      ),
    },
  );
  const message = fc.nat({ max: 60 }).map((length) => new Uint8Array(length));
  return {
    inputs: fc.array(fc.oneof(text, message), { maxLength: 30 }),
    codes: [],
    run(messages) {
      const assembler = createFrameAssembler(1_000);
      for (const each of messages) {
        const result = typeof each === 'string' ? assembler.announce(each) : assembler.add(each);
        if (result === undefined) continue;
        if (result instanceof Uint8Array) {
          if (result.length > 1_000) throw new Error(`a frame of ${result.length} bytes`);
          continue;
        }
        // The connection is closed with a documented code.
        if (![1002, 1003, 1009].includes(result.code)) throw new Error(`close code ${result.code}`);
        return;
      }
    },
  };
}
