import { readFileSync } from 'node:fs';
import { vi } from 'vitest';

/** Whether a process runs; one that has ended and that nobody has asked about yet (a zombie) does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    // Field 3, after the name in brackets, which may itself contain brackets and spaces.
    return readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '')[0] !== 'Z';
  } catch {
    return process.platform !== 'linux';
  }
}

/** Waits until a process that is not our child has ended. */
export async function gone(pid: number): Promise<void> {
  await vi.waitUntil(() => !isRunning(pid), { timeout: 30_000, interval: 20 });
}
