import type { EngineStatus, OutstandingLeaf, WorkerId } from '@gradwire/engine';
import { expect, test } from 'vitest';
import { describeWaiting, expectedMs } from './waiting.ts';

const [laptop, attic] = ['kitchen-laptop', 'attic'] as WorkerId[] as [WorkerId, WorkerId];

function statusOf(...outstanding: Partial<OutstandingLeaf>[]): EngineStatus {
  return {
    phase: 'running',
    waitingFor: 'leases',
    round: { index: 500, task: 'step', version: 411, epoch: 0, step: 411, leafCount: 20 },
    outstanding: outstanding.map((leaf) => ({
      leaf: 17,
      owner: laptop,
      sinceMs: 1000,
      backups: [],
      usualMs: undefined,
      dueMs: undefined,
      ...leaf,
    })),
    checks: [],
    workers: [],
    spares: [],
  };
}

function explain(...leaves: Partial<OutstandingLeaf>[]): string {
  return describeWaiting(statusOf(...leaves), 3400);
}

test('says in words whom the run waits for, how long, and who helps', () => {
  const late = { usualMs: 300, dueMs: 1900 };
  expect(explain({ ...late, backups: [attic] })).toBe(
    'step 412 waits on worker kitchen-laptop, shard 17, 2.1 s past its usual 0.3 s; backup leased to attic',
  );
  expect(explain(late, { ...late, leaf: 18 }, { ...late, leaf: 20 })).toBe(
    'step 412 waits on worker kitchen-laptop, shards 17 to 18, 20, 2.1 s past its usual 0.3 s; nobody is free to help',
  );
  expect(explain({ usualMs: 5000, dueMs: 9000 }, { leaf: 3, owner: attic })).toBe(
    'step 412 waits on worker kitchen-laptop, shard 17, for 2.4 s of its usual 5.0 s; ' +
      'and on worker attic, shard 3, for 2.4 s, not measured yet',
  );
});

test('nobody is told of a wait that is as long as it usually is', () => {
  expect(expectedMs(statusOf({ sinceMs: 1000, usualMs: 6000 }, { sinceMs: 1200, usualMs: 300 }))).toBe(1500);
  expect(expectedMs(statusOf({ sinceMs: 1000, usualMs: 6000 }, {}))).toBe(-Infinity);
  expect(expectedMs({ ...statusOf({ usualMs: 6000 }), waitingFor: 'workers' })).toBe(-Infinity);
  expect(expectedMs(statusOf())).toBe(-Infinity);
});
