import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** All modules that the file at `url` imports, directly or through other files of this package. */
function importsOf(url: URL, seen: Set<string> = new Set()): Set<string> {
  for (const [, name = ''] of readFileSync(url, 'utf8').matchAll(/(?:from|import\(|import) ?'([^']+)'/g)) {
    const key = name.startsWith('.') ? new URL(name, url).href : name;
    if (seen.has(key)) continue;
    seen.add(key);
    if (name.startsWith('.')) importsOf(new URL(key), seen);
  }
  return seen;
}

test('the main entry imports nothing that a browser lacks', () => {
  const packages = [...importsOf(new URL('./index.ts', import.meta.url))].filter(
    (name) => !name.startsWith('file:'),
  );
  expect(packages.sort()).toEqual(['@gradwire/errors', '@gradwire/random']);
});

test('the check would find an import of Node', () => {
  expect(importsOf(new URL('./node/index.ts', import.meta.url))).toContain('node:fs/promises');
});
