import type { Coordinator, Splits } from '@gradwire/coordinator';
import { closeCodes } from '@gradwire/protocol';
import { createPair } from '@gradwire/transport';
import { expect, test } from 'vitest';
import { startOwnThreads } from './own-threads.ts';

test('threads that are put out say so: nobody else would notice', async () => {
  const own = startOwnThreads({ backend: 'wasm', threads: 1 });
  const [mine, theirs] = createPair();
  const coordinator = {
    host: '127.0.0.1',
    port: 1,
    secret: 'x',
    connect: () => mine,
  } as Partial<Coordinator>;
  const working = own.work(coordinator as Coordinator, {} as Splits);
  await own.started;
  theirs.close(closeCodes.wrongNumbers.code, 'other numbers than most');
  await expect(working).rejects.toMatchObject({
    code: 'WORKER_FAILED',
    message: 'the threads of this process do not compute any more: other numbers than most',
  });
  await own.close();
});
