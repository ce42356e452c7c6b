import { createServer } from 'node:net';
import type { Check } from './check.ts';

/** Whether loopback works, and whether the port that a coordinator takes is free. */
export async function checkPort(port: number): Promise<Check> {
  const name = 'ports';
  const anyPort = await listenOnce(0);
  if (anyPort !== undefined) {
    const hint = 'A firewall or sandbox keeps programs on this machine from talking to one another.';
    return { name, status: 'problem', message: `127.0.0.1: no port can be opened (${anyPort})`, hint };
  }
  const reason = await listenOnce(port);
  const details = { port, free: reason === undefined };
  if (reason === undefined)
    return { name, status: 'ok', message: `loopback works, ${port} is free`, details };
  const message = `loopback works, but ${port} cannot be opened (${reason})`;
  return { name, status: 'note', message, hint: 'Give the coordinator another one with --port.', details };
}

/** Resolves to the error code, or to undefined if the port could be opened. */
function listenOnce(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(undefined)));
  });
}
