import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { isGroupNode, isTreeNode, treeCover, treeMid, treeParent } from './tree.ts';

/** All nodes, by the definition. */
function nodesOf(lo: number, hi: number): string[] {
  if (hi - lo === 1) return [`${lo}-${hi}`];
  let power = 1;
  while (power * 2 < hi - lo) power *= 2;
  return [`${lo}-${hi}`, ...nodesOf(lo, lo + power), ...nodesOf(lo + power, hi)];
}

test('a node divides at the largest power of two below its width', () => {
  const widths = [2, 3, 4, 5, 7, 8, 9, 16, 17];
  expect(widths.map((width) => treeMid(10, 10 + width) - 10)).toEqual([1, 2, 2, 4, 4, 4, 8, 8, 16]);
});

test('isTreeNode agrees with the definition', () => {
  for (let leafCount = 1; leafCount <= 20; leafCount++) {
    const nodes = new Set(nodesOf(0, leafCount));
    for (let lo = -1; lo <= leafCount + 1; lo++) {
      for (let hi = -1; hi <= leafCount + 1; hi++) {
        expect(isTreeNode(lo, hi, leafCount), `[${lo}, ${hi}) of ${leafCount}`).toBe(
          nodes.has(`${lo}-${hi}`),
        );
      }
    }
  }
});

test('isTreeNode refuses numbers that are no positions', () => {
  for (const bad of [NaN, Infinity, -Infinity, 0.5]) {
    expect(isTreeNode(bad, 4, 8)).toBe(false);
    expect(isTreeNode(0, bad, 8)).toBe(false);
  }
});

test('a parent is the union of its two children', () => {
  expect(treeParent({ lo: 4, hi: 5 }, 6)).toEqual({ lo: 4, hi: 6 });
  expect(treeParent({ lo: 4, hi: 6 }, 6)).toEqual({ lo: 0, hi: 6 });
  expect(treeParent({ lo: 0, hi: 6 }, 6)).toBeUndefined();
  expect(() => treeParent({ lo: 1, hi: 3 }, 6)).toThrow(RangeError);
});

test('a cover holds exactly the leaves, with the fewest nodes', () => {
  const cases = fc
    .integer({ min: 1, max: 40 })
    .chain((leafCount) =>
      fc.tuple(fc.constant(leafCount), fc.subarray(Array.from({ length: leafCount }, (_, i) => i))),
    );
  fc.assert(
    fc.property(cases, ([leafCount, leaves]) => {
      const cover = treeCover(leaves, leafCount);
      expect(cover.flatMap(({ lo, hi }) => Array.from({ length: hi - lo }, (_, i) => lo + i))).toEqual(
        leaves,
      );
      for (const node of cover) {
        // Fewest: no node could be replaced by its parent.
        const parent = treeParent(node, leafCount);
        if (!parent) continue;
        const all = Array.from({ length: parent.hi - parent.lo }, (_, i) => parent.lo + i);
        expect(all.every((leaf) => leaves.includes(leaf))).toBe(false);
      }
    }),
  );
});

test('groups are nodes; every other node lies within one group, or holds several', () => {
  for (let leafCount = 1; leafCount <= 20; leafCount++) {
    for (const groupSize of [1, 2, 4, 8, 32]) {
      const groups = Array.from({ length: Math.ceil(leafCount / groupSize) }, (_, i) => i * groupSize);
      for (const node of nodesOf(0, leafCount)) {
        const [lo = 0, hi = 0] = node.split('-').map(Number);
        const inside = groups.filter((start) => lo < start + groupSize && hi > start);
        const isGroup = isGroupNode({ lo, hi }, leafCount, groupSize);
        if (isGroup) groups.splice(groups.indexOf(lo), 1);
        else expect(inside.length > 1 || hi - lo < groupSize).toBe(true);
      }
      expect(groups).toEqual([]);
    }
  }
});

test('a cover with groups holds the leaves, and no node larger than a group', () => {
  expect(treeCover([1, 2, 3, 4, 5, 6], 7, 2)).toEqual([
    { lo: 1, hi: 2 },
    { lo: 2, hi: 4 },
    { lo: 4, hi: 6 },
    { lo: 6, hi: 7 },
  ]);
  expect(treeCover([0, 1, 2, 3, 4], 5, 4)).toEqual([
    { lo: 0, hi: 4 },
    { lo: 4, hi: 5 },
  ]);
});

test('a cover refuses leaves that do not ascend or do not exist', () => {
  for (const leaves of [[1, 1], [2, 1], [-1], [8], [0.5]]) {
    expect(() => treeCover(leaves, 8)).toThrow(RangeError);
  }
});
