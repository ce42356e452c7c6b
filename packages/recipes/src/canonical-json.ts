const maxDepth = 32;

/**
 * JSON with one spelling for one value: keys sorted by UTF-16 code unit, no white space, numbers as in ECMAScript
 * (so -0 is written `0`), keys whose value is `undefined` left out. The same rules as RFC 8785.
 *
 * Throws `TypeError` on anything that is not plain data: functions, symbols, bigints, NaN, infinities, class
 * instances, `undefined` inside an array, nesting deeper than 32.
 *
 * @example
 * canonicalJson({ b: 1, a: [true, 'x'] }); // '{"a":[true,"x"],"b":1}'
 */
export function canonicalJson(value: unknown): string {
  return write(value, '$', 0);
}

function write(value: unknown, path: string, depth: number): string {
  if (depth > maxDepth) throw new TypeError(`canonicalJson: ${path} is nested deeper than ${maxDepth}`);
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value);
  if (Array.isArray(value)) {
    // Array.from also visits holes, which `map` would skip.
    return `[${Array.from(value, (item, index) => write(item, `${path}[${index}]`, depth + 1)).join(',')}]`;
  }
  if (isPlainObject(value)) {
    const keys = Object.keys(value).filter((key) => value[key] !== undefined);
    const members = keys
      .sort()
      .map((key) => `${JSON.stringify(key)}:${write(value[key], `${path}.${key}`, depth + 1)}`);
    return `{${members.join(',')}}`;
  }
  const found = describe(value);
  throw new TypeError(`canonicalJson: ${path} must be plain data, found ${found}`);
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // A recipe module may come from another realm, whose Object.prototype is not ours: ask one level deeper.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function describe(value: unknown): string {
  if (typeof value === 'object') return 'a class instance';
  return typeof value === 'number' || value === undefined ? `${value}` : `a ${typeof value}`;
}
