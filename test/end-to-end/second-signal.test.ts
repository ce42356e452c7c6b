import { expect, test } from 'vitest';
import { startGradwire } from '../harness/gradwire.ts';
import { startTcpProxy } from '../harness/tcp-proxy.ts';
import { createTemporaryFolder } from '../harness/temporary-folder.ts';
import { stepDone } from '../harness/train.ts';

const recipe = ['--recipe', 'mnist-cnn-small', '--steps', '100000', '--batch-size', '64'];

// The other side of the line says nothing any more, so that leaving in order takes its time; who has left in order says
// so. Of two signals sent at once the kernel may deliver either one first.
test('worker and coordinator that are about to leave in order leave at once on the second signal', async () => {
  await using folder = await createTemporaryFolder();
  const listen = ['--port', '0', '--token', 'join-token', '--run-dir', folder.path];
  await using coordinator = startGradwire(['coordinator', '--json', ...recipe, ...listen]);
  const { port } = await coordinator.line(({ event }) => event === 'listening');
  await using cable = await startTcpProxy(port as number);
  const join = ['worker', `ws://127.0.0.1:${cable.port}`, '--backend', 'wasm', '--json'];
  await using worker = startGradwire(join, { env: { GRADWIRE_TOKEN: 'join-token' } });
  await stepDone(coordinator, 3);
  cable.freeze();
  // In the middle of a lease, the answer that follows would end it in order.
  await worker.said(/leases: the coordinator waits for other workers/);
  for (const { child, exited, output } of [worker, coordinator]) {
    child.kill('SIGINT');
    child.kill('SIGTERM');
    expect([130, 143]).toContain(await exited);
    expect(output.stderr + output.stdout).not.toMatch(/left the run|"event":"end"/);
  }
});
