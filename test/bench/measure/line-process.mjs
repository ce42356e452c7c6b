import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Skipped } from './alternate.mjs';

/**
 * A process that answers each line of JSON on its stdin with one on its stdout; the first line says `{ ready }`,
 * or `{ skipped: reason }`. What is not JSON on its stdout is ignored: TensorFlow.js greets there.
 */
export async function startLineProcess({ program, args, env }) {
  const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    for (;;) {
      const { done, value } = await lines.next();
      if (done) throw new Error(`${program} ${args[0]} ended with ${child.exitCode ?? child.signalCode}`);
      if (/^[[{]/.test(value)) return JSON.parse(value);
    }
  };
  const first = await next();
  if (first.skipped) throw new Skipped(first.skipped);
  return {
    first,
    async ask(task) {
      child.stdin.write(`${JSON.stringify(task)}\n`);
      return next();
    },
    /** Ends its stdin and waits until it has gone. */
    async stop() {
      const gone = new Promise((resolve) => child.once('close', resolve));
      child.stdin.end();
      await gone;
    },
  };
}

/** The other side: says ready, then answers each task. Resolves when there are no more. */
export async function answerLines(ready, answer) {
  say({ ready });
  for await (const line of createInterface({ input: process.stdin })) say(await answer(JSON.parse(line)));
}

/** Loads what this process is there to measure; ends it, with the reason for its parent, where that is not installed. */
export async function loadOrSkip(load) {
  try {
    return await load();
  } catch (error) {
    say({ skipped: error.message.split('\n')[0] });
    process.exit();
  }
}

function say(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
