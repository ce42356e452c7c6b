import { startRelay } from './relay.mjs';

/** What is left alone at the beginning of each direction of a connection: who cannot even join has nothing to lose. */
const quietBytes = 4_096;
const longestPiece = 2_000;

const kinds = {
  /** One bit is another. */
  'flipped bits': (bytes, at, random) => {
    const copy = Buffer.from(bytes);
    copy[at] ^= 1 << Math.floor(8 * random());
    return [copy];
  },
  'missing pieces': (bytes, at, random) => [bytes.subarray(0, at), bytes.subarray(at + pieceLength(random))],
  'doubled pieces': (bytes, at, random) => [
    bytes.subarray(0, at),
    bytes.subarray(at, at + pieceLength(random)),
    bytes.subarray(at),
  ],
  'cut connections': (bytes, at) => [bytes.subarray(0, at), undefined],
};

/**
 * Lines to the coordinator that damage what they carry, once in about `everyBytes` bytes, as TCP would never let through
 * that is computed anew on the way. `faults` counts by kind. The same interface as `createLinks`.
 */
export function createNoise({ everyBytes, random }) {
  const faults = {};
  const relays = new Map();
  let isOn = false;

  const pass = (from, to) => {
    let left = nextFault();
    let quiet = quietBytes;
    from.on('data', (chunk) => {
      const loud = isOn ? Math.max(0, chunk.length - quiet) : 0;
      quiet = Math.max(0, quiet - chunk.length);
      left -= loud;
      if (left > 0 || loud === 0) return void to.write(chunk);
      left = nextFault();
      const kind = Object.keys(kinds)[Math.floor(random() * 4)];
      faults[kind] = (faults[kind] ?? 0) + 1;
      const at = chunk.length - loud + Math.floor(random() * loud);
      for (const piece of kinds[kind](chunk, at, random)) {
        if (piece === undefined) from.resetAndDestroy();
        else if (piece.length > 0) to.write(piece);
      }
    });
    from.on('close', () => to.destroy());
  };
  const nextFault = () => -Math.log(1 - random()) * everyBytes;

  return {
    faults,
    start: () => (isOn = true),
    async reach(port) {
      if (!relays.has(port)) relays.set(port, await startRelay(() => port, pass));
      return { host: '127.0.0.1', port: relays.get(port).port, prefix: [] };
    },
    async remove() {
      for (const relay of relays.values()) relay.remove();
    },
  };
}

function pieceLength(random) {
  return 1 + Math.floor(longestPiece * random());
}
