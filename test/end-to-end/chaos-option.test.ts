import { beforeAll, expect, test } from 'vitest';
import { train } from '../harness/train.ts';

const steps = 300;
const args = [
  '--backend',
  'wasm',
  '--recipe',
  'mnist-cnn-small',
  '--steps',
  `${steps}`,
  '--batch-size',
  '64',
];
let calm: string;

beforeAll(async () => {
  calm = (await train([...args, '--workers', '1'])).weightsSha256;
});

test.each([
  ['stop/0.4s', 'stopped'],
  ['kill/2s', 'killed'],
])(
  '--chaos %s: workers are %s, and the weights are those of a calm run',
  async (chaos, how) => {
    const summary = await train([...args, '--workers', '3', '--chaos', chaos], {
      during: async (run) => {
        expect(await run.line(({ event }) => event === 'harmed')).toMatchObject({ how });
        if (how === 'killed')
          expect(await run.line(({ event }) => event === 'died')).toMatchObject({ willRestart: true });
      },
    });
    expect(summary).toMatchObject({ outcome: 'finished', weightsSha256: calm, samplesSeen: steps * 64 });
  },
  300_000,
);
