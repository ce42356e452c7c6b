/** Lets so much through a second, and as much again at once after a pause. */
export interface RateLimit {
  /** Takes one; false if there is none left. */
  take(): boolean;
}

/** @param now a clock in milliseconds that does not jump. */
export function createRateLimit(perSecond: number, now: () => number = () => performance.now()): RateLimit {
  let level = perSecond;
  let atMs = now();
  return {
    take() {
      const elapsedMs = now() - atMs;
      atMs += elapsedMs;
      level = Math.min(perSecond, level + (elapsedMs * perSecond) / 1000);
      if (level < 1) return false;
      level -= 1;
      return true;
    },
  };
}

/** One rate limit for each key, as long as somebody comes with it. */
export function createRateLimits(
  perSecond: number,
  now: () => number = () => performance.now(),
): (key: string) => boolean {
  let limits = new Map<string, RateLimit>();
  let sinceMs = now();
  return (key) => {
    // After a second without a request a limit is as good as new; so all may be forgotten together, every now and then.
    if (limits.size >= 1_024 && now() - sinceMs > 1_000) {
      limits = new Map();
      sinceMs = now();
    }
    let limit = limits.get(key);
    if (limit === undefined) limits.set(key, (limit = createRateLimit(perSecond, now)));
    return limit.take();
  };
}
