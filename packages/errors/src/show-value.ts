/** What was found instead of what was expected, as JSON, cut to `maxLength` characters; for error messages. Never throws. */
export function showValue(value: unknown, maxLength = 80): string {
  try {
    return (JSON.stringify(value) ?? 'nothing').slice(0, maxLength);
  } catch {
    // Nested thousands deep, which `JSON.parse` reads and `JSON.stringify` does not write; or a BigInt.
    return `${Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`} that cannot be shown`;
  }
}
