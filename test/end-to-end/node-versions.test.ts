import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { installNode } from '../harness/other-node.ts';
import { createTemporaryFolder } from '../harness/temporary-folder.ts';
import { train } from '../harness/train.ts';

const args = '--recipe mnist-cnn-small --steps 20 --batch-size 32 --backend wasm --workers 2'.split(' ');
let ours: string;

beforeAll(async () => {
  ours = (await train(args)).weightsSha256;
});

test.for([20, 22, 24])('Node %i gives the hash of the Node that runs this test', async (major, { skip }) => {
  await using folder = await createTemporaryFolder();
  const node = await installNode(major, folder.path);
  if ('reason' in node) return skip(`Node ${major} is not tested here: ${node.reason}`);
  const { stdout } = await promisify(execFile)(node.bin, ['--version']);
  expect(stdout).toMatch(new RegExp(`^v${major}\\.`));
  // The workers are started by the same Node: they inherit its path.
  expect(await train(args, { node: node.bin })).toMatchObject({ weightsSha256: ours, exact: true });
});
