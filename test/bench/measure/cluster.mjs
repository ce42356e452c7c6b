import { randomBytes } from 'node:crypto';
import { nextLine, startGradwire } from './gradwire.mjs';

/**
 * Starts `gradwire coordinator` and as many `gradwire worker`. `reach(address, worker)` may put something between
 * the two: it gets the coordinator's address and returns `{ host, port, prefix }` for that worker.
 * Kills what is left when it is disposed.
 */
export async function startCluster({
  args,
  workerArgs = [],
  workers,
  folder,
  nodeArgs,
  host,
  prefix,
  reach,
}) {
  const token = randomBytes(12).toString('hex');
  const listen = ['--host', host ?? '127.0.0.1', '--port', '0', '--token', token, '--run-dir', folder];
  const coordinator = startGradwire(['coordinator', ...args, ...listen], { prefix, nodeArgs });
  const { port } = await nextLine(coordinator, ({ event }) => event === 'listening');
  const processes = [coordinator];
  const work = async (index) => {
    const way = (await reach?.(port, index)) ?? {};
    const url = `ws://${way.host ?? '127.0.0.1'}:${way.port ?? port}#${token}`;
    const options = { nodeArgs, prefix: way.prefix };
    const worker = startGradwire(['worker', url, '--name', `worker-${index}`, ...workerArgs], options);
    processes.push(worker);
    return worker;
  };
  for (let index = 1; index <= workers; index++) await work(index);
  return {
    coordinator,
    /** Starts one more. */
    work,
    /** Reads the coordinator's lines to the end, and waits for everybody. */
    async finish() {
      for await (const _ of coordinator.lines);
      await Promise.all(processes.map(({ ended }) => ended));
    },
    /** Ends everybody at once. */
    async stop() {
      for (const { child } of processes) if (child.exitCode === null) child.kill('SIGKILL');
      await Promise.allSettled(processes.map(({ ended }) => ended));
    },
  };
}
