/** `wanted`, or `wanted-2`, `wanted-3` … if it is taken. Control characters and spaces become hyphens. */
export function uniqueName(wanted: string, isTaken: (name: string) => boolean): string {
  const base = wanted.replace(/[^\p{L}\p{N}._-]+/gu, '-').slice(0, 60) || 'worker';
  let name = base;
  for (let n = 2; isTaken(name); n += 1) name = `${base}-${n}`;
  return name;
}
