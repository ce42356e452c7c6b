import type { Console } from './console.ts';

/** Where plain lines go, and how often. */
export interface ProgressLineOptions {
  /** Default: the console. */
  readonly say?: (line: string) => void;
  /** Default 10,000. */
  readonly everyMs?: number;
}

/** Shows the latest of many lines: live in a terminal, elsewhere a line from time to time. */
export function createProgressLine(
  console: Console,
  options: ProgressLineOptions = {},
): (line: string) => void {
  const { say = (line: string) => console.say(line), everyMs = 10_000 } = options;
  let saidMs = performance.now();
  return (line) => {
    if (console.isTerminal) return console.live(line);
    if (performance.now() - saidMs < everyMs) return;
    saidMs = performance.now();
    say(line);
  };
}
