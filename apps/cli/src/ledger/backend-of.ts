import type { LedgerLine } from '@gradwire/checkpoint';

/** The backend that gave the bits of these steps, if it was one; else the usual choice. */
export function backendOf(lines: readonly LedgerLine[]): 'auto' | 'wasm' | 'native' {
  const names = new Set(
    lines.flatMap(({ contributions }) =>
      contributions.map(({ numericsClass }) => numericsClass.split('-')[0]),
    ),
  );
  const [name] = names;
  return names.size === 1 && (name === 'wasm' || name === 'native') ? name : 'auto';
}
