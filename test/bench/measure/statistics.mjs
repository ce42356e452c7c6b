/** The middle value; the mean of the two middle ones for an even number. Undefined for none. */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? sorted[half]
    : sorted.length === 0
      ? undefined
      : mean(sorted.slice(half - 1, half + 1));
}

export function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The middle ratio of two contestants' samples, round by round: noise that both met cancels. */
export function medianRatio(samples, others) {
  return median(samples.map((value, round) => value / others[round]));
}

/** Slope and intercept of the line through points `[x, y]` with the least squares. */
export function fitLine(points) {
  const [x, y] = [0, 1].map((axis) => mean(points.map((point) => point[axis])));
  const slope = mean(points.map((p) => (p[0] - x) * (p[1] - y))) / mean(points.map((p) => (p[0] - x) ** 2));
  return { slope, intercept: y - slope * x };
}
