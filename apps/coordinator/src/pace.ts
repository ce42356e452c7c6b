/** Measures how fast the run goes, over the last steps. */
export interface Pace {
  /** Notes a step of `samples` that was committed at `atMs`. */
  step(samples: number, atMs: number): void;
  /** Samples per second over the last half minute; 0 before the second step. */
  readonly samplesPerSecond: number;
}

const windowMs = 30_000;

export function createPace(): Pace {
  const marks: { atMs: number; total: number }[] = [];
  let total = 0;
  return {
    step(samples, atMs) {
      total += samples;
      marks.push({ atMs, total });
      while (marks.length > 2 && atMs - (marks[0]?.atMs ?? atMs) > windowMs) marks.shift();
    },
    get samplesPerSecond() {
      const [first, last] = [marks[0], marks.at(-1)];
      if (!first || !last || last.atMs <= first.atMs) return 0;
      return ((last.total - first.total) / (last.atMs - first.atMs)) * 1000;
    },
  };
}
