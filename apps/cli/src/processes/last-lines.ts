import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/** The last `count` lines that a process said on stderr, oldest first; the list is kept up to date. */
export function keepLastLines({ stderr }: ChildProcess, count: number): readonly string[] {
  const lines: string[] = [];
  if (stderr) {
    createInterface({ input: stderr }).on('line', (line) => {
      lines.push(line);
      if (lines.length > count) lines.shift();
    });
  }
  return lines;
}
