import { execFile, execFileSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { installNode } from '../harness/other-node.ts';
import { createTemporaryFolder } from '../harness/temporary-folder.ts';
import { readSummary } from '../harness/train.ts';

const run = promisify(execFile);
const repository = fileURLToPath(new URL('../..', import.meta.url));
const isWanted = Boolean(process.env['CI'] ?? process.env['GRADWIRE_SLOW_TESTS']);
if (!isWanted)
  console.log(
    'the clean clone is not tested here: it takes minutes (GRADWIRE_SLOW_TESTS=1 or CI=1 wants it)',
  );
const hasGit = isWanted && isRepository();
if (isWanted && !hasGit) console.log('the clean clone is not tested here: this is no git repository');

test.runIf(hasGit)(
  'npm start in a clean clone with an empty home: it sets up and trains; the second time it just trains',
  async ({ annotate }) => {
    await using folder = await createTemporaryFolder();
    const [clone, home, runs] = [
      join(folder.path, 'clone'),
      join(folder.path, 'home'),
      join(folder.path, 'runs'),
    ];
    await mkdir(home);
    await run('git', ['clone', '--quiet', '--no-hardlinks', repository, clone]);
    const start = (program: string, args: string[]): Promise<{ stderr: string }> =>
      run(program, [...args, '--steps', '5', '--backend', 'wasm', '--run-dir', runs], {
        cwd: clone,
        env: cleanEnvironment(home),
        maxBuffer: 64 * 2 ** 20,
      });

    const first = await start('npm', ['start', '--']);
    expect(first.stderr).toContain('Installing packages');
    const expected = await readSummary(join(runs, '0001-mnist-fast'));
    expect(expected).toMatchObject({ outcome: 'finished', steps: 5, backend: 'wasm' });

    const second = await start('npm', ['start', '--']);
    expect(second.stderr).not.toContain('Installing packages');
    const again = await readSummary(join(runs, '0002-mnist-fast'));
    expect(again.weightsSha256).toBe(expected.weightsSha256);

    for (const [major, number] of [
      [22, '0003'],
      [24, '0004'],
    ] as const) {
      const node = await installNode(major, join(folder.path));
      if ('reason' in node) {
        await annotate(`Node ${major} is not tested in the clone: ${node.reason}`);
        continue;
      }
      await start(node.bin, ['scripts/start.mjs']);
      const other = await readSummary(join(runs, `${number}-mnist-fast`));
      expect(other.weightsSha256).toBe(expected.weightsSha256);
    }
    expect(execFileSync('git', ['status', '--porcelain'], { cwd: clone, encoding: 'utf8' })).toBe('');
  },
  900_000,
);

/** What a new account has, besides what the network here may need. */
function cleanEnvironment(home: string): NodeJS.ProcessEnv {
  const kept =
    /^(PATH|LANG|TERM|TMPDIR|SystemRoot|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|(https?|no)_proxy|npm_config_registry)$/i;
  const rest = Object.entries(process.env).filter(([name]) => kept.test(name));
  return { ...Object.fromEntries(rest), HOME: home, USERPROFILE: home };
}

function isRepository(): boolean {
  try {
    execFileSync('git', ['rev-parse', '--verify', 'HEAD'], { cwd: repository, stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
