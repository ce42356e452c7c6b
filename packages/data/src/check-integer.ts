/** Throws `RangeError` naming the argument unless `value` is an integer from `min` to `max`. */
export function checkInteger(
  name: string,
  value: number,
  [min, max = Number.MAX_SAFE_INTEGER]: [number, number?],
): void {
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
    throw new RangeError(`${name} must be an integer ${range}, got ${value}`);
  }
}
