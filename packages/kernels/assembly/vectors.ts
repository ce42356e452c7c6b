// A module of its own, on a memory of its own: the coordinator has no tfjs. See src/vectors/.
export { add, addSquares, average, isFinite, scale } from './vector-sums';
export { mixWords } from './vector-checksum';
export { adam, descend, momentum } from './vector-updates';
