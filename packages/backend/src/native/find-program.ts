import { GradwireError } from '@gradwire/errors';
import { runCommand } from './run-command.ts';

/**
 * The first program of `candidates` that ends with status 0 when called with `args`.
 *
 * @param missing - what a person calls it, and how to install it: for the error.
 * @throws GradwireError `BACKEND_UNAVAILABLE` with what each candidate answered.
 */
export async function findProgram(
  candidates: readonly (string | undefined)[],
  args: readonly string[],
  missing: { what: string; hint: string },
): Promise<string> {
  const tried: string[] = [];
  for (const candidate of candidates) {
    if (!candidate) continue;
    const { ok, output } = await runCommand(candidate, args, { timeoutMs: 30_000 });
    if (ok) return candidate;
    tried.push(output.split('\n').at(-1) ?? candidate);
  }
  const { what, hint } = missing;
  throw new GradwireError('BACKEND_UNAVAILABLE', `${what} was not found (${tried.join('; ')})`, { hint });
}
