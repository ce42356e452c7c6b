import type { Console } from './console.ts';

const plainEveryMs = 10_000;

/** Shows the latest of many lines: live in a terminal, else one every ten seconds. */
export function createProgressLine(
  console: Console,
  say: (line: string) => void = (line) => console.say(line),
): (line: string) => void {
  let saidMs = performance.now();
  return (line) => {
    if (console.isTerminal) return console.live(line);
    if (performance.now() - saidMs < plainEveryMs) return;
    saidMs = performance.now();
    say(line);
  };
}
