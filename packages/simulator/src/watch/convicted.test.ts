import type { Contribution, EngineEffect, WorkerId } from '@gradwire/engine';
import { expect, test } from 'vitest';
import { createConvicted } from './convicted.ts';

const [x, y] = ['x', 'y'] as WorkerId[] as [WorkerId, WorkerId];

function incident(index: number, worker: WorkerId): EngineEffect {
  const round = { index, task: 'step', version: 0, step: 0 };
  const wrong = [{ worker, unverified: [] }];
  const found = { what: 'settled', round, lo: 0, hi: 1, answers: [], wrong, message: '' };
  return { type: 'incident', incident: found } as unknown as EngineEffect;
}

function lease(index: number): EngineEffect {
  return { type: 'lease', worker: y, round: { index }, leaves: [0] } as unknown as EngineEffect;
}

function commit(part: Pick<Contribution, 'worker' | 'agreed'>): EngineEffect {
  const contributions = [{ lo: 1, hi: 2, numericsClass: 'n', samples: 1, sum: '', ...part }];
  return { type: 'commit', record: { step: 1, contributions } } as unknown as EngineEffect;
}

test('nothing of whoever was convicted is used in the same round', () => {
  const convicted = createConvicted();
  convicted.saw(incident(3, x));
  expect(() => convicted.saw(commit({ worker: x }))).toThrow('convicted out: round 3 uses what x said');
});

test.each<[string, (convicted: ReturnType<typeof createConvicted>) => void]>([
  ['is of somebody else', (convicted) => convicted.saw(commit({ worker: y }))],
  ['was agreed with by somebody else', (convicted) => convicted.saw(commit({ worker: x, agreed: [y] }))],
  [
    'is of a later round',
    (convicted) => {
      convicted.saw(lease(4));
      convicted.saw(commit({ worker: x }));
    },
  ],
  [
    'is of one who has come again',
    (convicted) => {
      convicted.heard({ type: 'worker-joined', worker: x, atMs: 0 });
      convicted.saw(commit({ worker: x }));
    },
  ],
])('what %s may be used', (_, useOf) => {
  const convicted = createConvicted();
  convicted.saw(incident(3, x));
  expect(() => useOf(convicted)).not.toThrow();
});
