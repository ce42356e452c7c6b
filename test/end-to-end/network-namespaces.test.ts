import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runGradwire, startGradwire } from '../harness/gradwire.ts';
import { createTwoHosts, whyNoNamespaces } from '../harness/network-namespaces.ts';
import { createTemporaryFolder } from '../harness/temporary-folder.ts';
import { readSummary, train } from '../harness/train.ts';

const reason = whyNoNamespaces();
if (reason !== undefined) console.log(`two hosts are not tested here: ${reason}`);

const recipe = ['--recipe', 'mnist-cnn-small', '--steps', '20', '--batch-size', '32'];

test.skipIf(reason !== undefined)(
  'coordinator and worker on two hosts, the worker without any data: the bits of a local run',
  async () => {
    const local = await train([...recipe, '--backend', 'wasm', '--workers', '2']);
    await using folder = await createTemporaryFolder();
    const home = join(folder.path, 'home');
    await mkdir(home);
    using hosts = createTwoHosts();

    await using coordinator = startGradwire(
      [
        'coordinator',
        ...recipe,
        '--host',
        '0.0.0.0',
        '--port',
        '8787',
        '--run-dir',
        join(folder.path, 'runs'),
      ],
      { prefix: hosts.near.prefix },
    );
    // The printed command, as a person would copy it.
    const [, address = ''] = await coordinator.said(/^ {2}gradwire worker (ws:\S+)$/m);
    expect(address).toMatch(`ws://${hosts.near.address}:8787#`);
    const worker = await runGradwire(
      ['worker', address, '--backend', 'wasm', '--fetch-data', '--name', 'far'],
      {
        prefix: hosts.far.prefix,
        cwd: home,
        env: { HOME: home, XDG_CACHE_HOME: undefined },
      },
    );
    expect(worker.code, worker.stderr).toBe(0);
    expect(worker.stderr).toMatch(/data: fetched [\d.]+ MB/);
    expect(await coordinator.exited, coordinator.output.stderr).toBe(0);
    expect(coordinator.output.stderr).toMatch(
      new RegExp(`^far joined \\(wasm, \\d+ threads?, ${hosts.far.address}:`, 'm'),
    );
    expect(await readSummary(join(folder.path, 'runs', 'latest'))).toMatchObject({
      weightsSha256: local.weightsSha256,
      workers: [{ name: 'far', leases: 20 * 8 }],
    });
    // What was fetched lies in the cache of the far home.
    expect((await readdir(join(home, '.cache', 'gradwire'), { recursive: true })).length).toBeGreaterThan(70);
  },
);
