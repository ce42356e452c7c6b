import { Worker } from 'node:worker_threads';
import { createTreeSum, treeCover, type TreeNode } from '@gradwire/engine';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSumsMemory, openSharedSums, type SumsMemory } from './shared-sums.ts';

const parameters = 3;

/** Numbers whose float32 sum depends on the order of addition. */
function gradientOf(leaf: number): Float32Array {
  return Float32Array.of(leaf + 0.1, 1e8 / (leaf + 1), -(10 ** (leaf % 7)));
}

function lastOf(leaves: readonly number[], leafCount: number): (node: TreeNode) => boolean {
  const cover = treeCover(leaves, leafCount);
  return ({ lo, hi }) => cover.some((node) => node.lo === lo && node.hi === hi);
}

function expectedSum({ lo, hi }: TreeNode, leafCount: number): Float32Array {
  const tree = createTreeSum<Float32Array>(leafCount, (left, right) => left.map((x, i) => x + right[i]!));
  for (let leaf = 0; leaf < leafCount; leaf += 1) {
    const sum = tree.add({ lo: leaf, hi: leaf + 1 }, gradientOf(leaf));
    if (sum.lo === lo && sum.hi === hi) return sum.value;
  }
  throw new RangeError(`[${lo}, ${hi}) is not complete`);
}

test('leaves in any order give the sums of the canonical tree, and leave no slot taken', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.array(fc.nat(39), { minLength: 1 }),
      fc.infiniteStream(fc.nat()),
      (leafCount, some, keys) => {
        const leaves = [...new Set(some.map((leaf) => leaf % leafCount))].toSorted((a, b) => a - b);
        const isLast = lastOf(leaves, leafCount);
        const memory = createSumsMemory({ parameters, metrics: 1, leaves: leafCount, threads: leafCount });
        const sums = openSharedSums(memory);
        const shuffled = leaves
          .map((leaf) => ({ leaf, key: keys.next().value as number }))
          .toSorted((a, b) => a.key - b.key);
        const found: TreeNode[] = [];
        for (const { leaf } of shuffled) {
          const slot = sums.take();
          sums.gradient(slot).set(gradientOf(leaf));
          sums.facts(slot).set([1, 0.5, leaf]);
          const node = sums.add({ lo: leaf, hi: leaf + 1, slot }, leafCount, isLast);
          if (!node) continue;
          const { lo, hi } = node;
          found.push({ lo, hi });
          const [samples, , metric] = sums.facts(node.slot);
          const inside = leaves.filter((each) => each >= lo && each < hi);
          expect([samples, metric]).toEqual([inside.length, inside.reduce((sum, each) => sum + each, 0)]);
          if (inside.length === leafCount || (lo === 0 && hi === 2 ** Math.floor(Math.log2(hi)))) {
            expect(sums.gradient(node.slot)).toEqual(expectedSum(node, leafCount));
          }
          sums.free(node.slot);
        }
        expect(found.toSorted((a, b) => a.lo - b.lo)).toEqual(treeCover(leaves, leafCount));
        expect(new Int32Array(memory.control).subarray(1).every((word) => word === 0)).toBe(true);
      },
    ),
  );
});

test('real threads with few slots finish, with the same bits', async () => {
  const leafCount = 100;
  const memory = createSumsMemory({ parameters, metrics: 1, leaves: leafCount, threads: 3 });
  expect(memory.slots).toBe(11);
  const sums = openSharedSums(memory);
  for (let round = 0; round < 20; round += 1) {
    const cursor = new Int32Array(new SharedArrayBuffer(4));
    const slots = await Promise.all([1, 2, 3].map(() => addLeaves(memory, cursor, leafCount)));
    const [slot, ...more] = slots.flat();
    expect(more).toEqual([]);
    expect(sums.gradient(slot!)).toEqual(expectedSum({ lo: 0, hi: leafCount }, leafCount));
    expect(sums.facts(slot!)[0]).toBe(leafCount);
    sums.free(slot!);
  }
});

/** Runs the compiled sums in a thread; resolves to the slots of the roots that it completed. */
function addLeaves(memory: SumsMemory, cursor: Int32Array, leafCount: number): Promise<number[]> {
  const compiled = new URL('../../dist/compute/shared-sums.js', import.meta.url).href;
  const source = `
    const { workerData: { memory, cursor, leafCount, compiled, gradientOf }, parentPort } = require('node:worker_threads');
    import(compiled).then(({ openSharedSums }) => {
      const sums = openSharedSums(memory);
      const gradient = eval('(' + gradientOf + ')');
      const roots = [];
      for (;;) {
        const slot = sums.take();
        const leaf = Atomics.add(cursor, 0, 1);
        if (leaf >= leafCount) {
          sums.free(slot);
          break;
        }
        sums.gradient(slot).set(gradient(leaf));
        sums.facts(slot).set([1, 0, 0]);
        const root = sums.add({ lo: leaf, hi: leaf + 1, slot }, leafCount, ({ lo, hi }) => hi - lo === leafCount);
        if (root) roots.push(root.slot);
      }
      parentPort.postMessage(roots);
    });`;
  const workerData = {
    memory,
    cursor,
    leafCount,
    compiled,
    gradientOf: '(leaf) => Float32Array.of(leaf + 0.1, 1e8 / (leaf + 1), -(10 ** (leaf % 7)))',
  };
  return new Promise((resolve, reject) => {
    const thread = new Worker(source, { eval: true, workerData, execArgv: [] });
    thread.once('message', resolve).once('error', reject);
  });
}
