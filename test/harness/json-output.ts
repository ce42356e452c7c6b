/** A JSON line that a command printed on stdout. */
export type JsonLine = Readonly<Record<string, unknown>> & { readonly event?: string };

/** Parses a command's whole stdout as JSON lines. Throws if there is anything else in it, or nothing. */
export function jsonLines(stdout: string): JsonLine[] {
  if (!stdout.endsWith('\n'))
    throw new Error(`expected lines that end in a line feed, found: ${stdout.slice(-200)}`);
  return stdout
    .slice(0, -1)
    .split('\n')
    .map((line) => {
      const value: unknown = JSON.parse(line);
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        throw new Error(`expected a JSON object a line, found: ${line.slice(0, 200)}`);
      }
      return value as JsonLine;
    });
}

/** The same for a command that prints one document. */
export function jsonDocument(stdout: string): JsonLine {
  const [document, ...more] = jsonLines(stdout);
  if (document === undefined || more.length > 0)
    throw new Error(`expected one document, found ${1 + more.length}`);
  return document;
}
