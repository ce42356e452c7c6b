import { uniform } from '@gradwire/random';

/** Numbers from 0 up to 1, the same for the same seed. */
export function randomOf(seed) {
  const numbers = uniform({ seed, stream: 'noise' }, 4_096);
  let next = 0;
  return () => numbers[next++ % numbers.length];
}
