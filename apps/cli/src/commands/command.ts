import type { Command } from 'commander';
import type { Console } from '../output/console.ts';

/** What each command's action gets besides its own options. */
export interface CommandContext {
  readonly console: Console;
  /** Aborted by Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  /** The command line's program. */
  readonly program: Command;
  /** Whether any command has a setting of that name. */
  isSetting(name: string): Promise<boolean>;
  /** Sets the exit code. */
  exit(code: number): void;
}
