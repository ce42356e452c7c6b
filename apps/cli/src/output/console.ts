import pc from 'picocolors';
import { exitCodes } from '../exit-codes.ts';

/** Where a command talks: data goes to stdout, everything said to people to stderr. */
export interface Console {
  readonly isTerminal: boolean;
  readonly columns: number;
  readonly colors: ReturnType<typeof pc.createColors>;
  /** A line for people. */
  say(line: string): void;
  /** The live line at the bottom of a terminal; outside one it does nothing. */
  live(line: string): void;
  /** Takes the live line away. */
  settle(): void;
  /** Text that is the command's result. */
  print(text: string): void;
  /** One JSON document or line that is the command's result. */
  json(value: unknown): void;
}

export function createConsole(): Console {
  const { stderr, stdout } = process;
  // The types say true; a pipe says undefined.
  const isTerminal: boolean = stderr.isTTY ?? false;
  const colors = pc.createColors(isTerminal && pc.isColorSupported);
  let current = '';
  let isBroken = false;
  const handleFailure = ({ code, message }: NodeJS.ErrnoException): void => {
    // A reader that has gone (`| head`) is no reason to stop a run: what it would have read is dropped.
    if (code === 'EPIPE' || isBroken) return;
    isBroken = true;
    process.once('exit', failInstead);
    stderr.write(`${colors.red('error')} the output cannot be written (${message})\n`);
  };
  for (const stream of [stdout, stderr]) stream.on('error', handleFailure);
  const erase = (): void => {
    if (current !== '') stderr.write('\r\u001b[2K');
  };
  return {
    isTerminal,
    get columns() {
      return stderr.columns ?? 100;
    },
    colors,
    say(line) {
      erase();
      stderr.write(`${line}\n`);
      if (current !== '') stderr.write(current);
    },
    live(line) {
      if (!isTerminal) return;
      erase();
      current = line;
      stderr.write(line);
    },
    settle() {
      erase();
      current = '';
    },
    print(text) {
      erase();
      stdout.write(text.endsWith('\n') ? text : `${text}\n`);
    },
    json: (value) => void stdout.write(`${JSON.stringify(value)}\n`),
  };
}

/** What the command does goes on, perhaps a run of hours: only its end tells. A failure of its own keeps its code. */
function failInstead(code: number): void {
  if (code === exitCodes.ok.code) process.exitCode = exitCodes.write.code;
}
