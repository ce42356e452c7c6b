import type { Refuse } from './refusal.ts';

interface Header {
  readonly entries: ReadonlyMap<string, unknown>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Parses the JSON header; every entry is an object, `__metadata__` a map of texts. */
export function parseHeader(bytes: Uint8Array, refuse: Refuse): Header {
  const text = decodeText(bytes, refuse);
  if (!text.startsWith('{')) refuse('a header that starts with {', JSON.stringify(text.slice(0, 1)));
  // Before its keys are looked at: in broken JSON, looking for the end of each text takes quadratic time.
  const parsed = parse(text, refuse);
  checkKeys(text, refuse);
  const { __metadata__: metadata = {}, ...rest } = parsed;
  if (!isObject(metadata) || !Object.values(metadata).every((value) => typeof value === 'string')) {
    return refuse('__metadata__ of texts', typeof metadata);
  }
  for (const [name, entry] of Object.entries(rest)) {
    if (!isObject(entry)) refuse(`an object for tensor ${JSON.stringify(name.slice(0, 60))}`, typeof entry);
  }
  return { entries: new Map(Object.entries(rest)), metadata: metadata as Record<string, string> };
}

function decodeText(bytes: Uint8Array, refuse: Refuse): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse('a header in UTF-8', 'other bytes');
  }
}

function parse(text: string, refuse: Refuse): Record<string, unknown> {
  try {
    // The text starts with {, so this is an ordinary object; a key __proto__ becomes a property of its own.
    return JSON.parse(text);
  } catch (error) {
    return refuse('a header in JSON', (error as Error).message);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Refuses what `JSON.parse` would let pass in silence: repeated keys, `__proto__`, deep nesting. */
function checkKeys(text: string, refuse: Refuse): void {
  const open: Set<string>[] = [];
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"(?:[ \t\r\n]*:)?|[{}[\]]/g)) {
    if (token === '{' || token === '[') open.push(new Set());
    if (token === '}' || token === ']') open.pop();
    if (open.length > 3) refuse('a header nested three deep', 'more');
    if (token.endsWith(':')) checkKey(token.slice(0, token.lastIndexOf('"') + 1), open.at(-1), refuse);
  }
}

function checkKey(quoted: string, keys: Set<string> | undefined, refuse: Refuse): void {
  // Parsed, because "a" and "\u0061" are the same key.
  const key = parse(quoted, refuse) as unknown as string;
  if (key === '__proto__') refuse('no key __proto__', 'one');
  if (keys?.has(key)) refuse(`the key ${JSON.stringify(key.slice(0, 60))} once`, 'it twice');
  keys?.add(key);
}
