import { existsSync } from 'node:fs';
import { bindingPath, findTfjsNode } from './tfjs-node-package.ts';
import { nativeEnvironment } from './native-environment.ts';
import { runCommand } from './run-command.ts';

/** Whether the native backend works, and the exact reason where it does not. */
export interface NativeCheck {
  ok: boolean;
  reason?: string;
}

// In a process of its own, so that a crash (a library built for other processors) is an answer too.
const script = `
  const util = require('node:util');
  util.isNullOrUndefined ??= (value) => value === null || value === undefined;
  const tf = require(process.argv[1]);
  const sum = tf.add(tf.tensor1d([1, 2]), tf.tensor1d([3, 4])).dataSync();
  if (tf.getBackend() !== 'tensorflow' || sum[0] !== 4 || sum[1] !== 6) throw new Error('1 + 3 gave ' + sum[0]);
`;

/** Loads `@tensorflow/tfjs-node` in a separate process and adds two tensors (about a second). */
export async function checkNative(): Promise<NativeCheck> {
  const missing = whatIsMissing();
  if (missing !== undefined) return { ok: false, reason: missing };
  const { ok, output } = await runCommand(process.execPath, ['-e', script, findTfjsNode() ?? ''], {
    env: { ...process.env, ...nativeEnvironment() },
    timeoutMs: 60_000,
  });
  return ok ? { ok } : { ok, reason: `it fails when loaded: ${mainLine(output)}` };
}

/** What the native backend lacks on disk, as a sentence; undefined when everything is in place. */
export function whatIsMissing(): string | undefined {
  const folder = findTfjsNode();
  if (folder === undefined) return 'the package @tensorflow/tfjs-node is not installed';
  if (!existsSync(bindingPath(folder)))
    return 'its TensorFlow library and compiled binding are not installed';
  return undefined;
}

/** The line of a crash report that says what happened. */
function mainLine(output: string): string {
  const lines = output.split('\n');
  return (lines.find((line) => /Error: /.test(line)) ?? lines.at(-1) ?? '').trim();
}
