import { checksum } from './plain-checksum.ts';
import { add, average, isFinite, scale, sumSquares } from './plain-sums.ts';
import { createAdam, createMomentum, descend } from './plain-updates.ts';
import type { VectorMath } from './vector-math.ts';

/** Plain TypeScript: runs everywhere, and says what every other implementation must compute. */
export const plainVectors: VectorMath = {
  add,
  scale,
  isFinite,
  average,
  checksum,
  examine: (values) => ({
    checksum: checksum(values),
    squares: sumSquares(values, { start: 0, end: values.length }),
  }),
  descend,
  createMomentum,
  createAdam,
};
