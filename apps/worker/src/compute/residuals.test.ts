import type { LeaseMessage } from '@gradwire/protocol';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createResiduals, type Residuals } from './residuals.ts';

const node = { lo: 2, hi: 4 };

function leaseOf(version: number, since: number, isLast: boolean): LeaseMessage {
  const place = { term: 1, round: version, task: 'step', version, step: version, epoch: 0 } as const;
  const coding = { codec: 'top-k', shards: 2, share: 0.1 } as const;
  return { type: 'lease', ...place, leaves: [2, 3], leafCount: 7, coding, feedback: { since, isLast } };
}

/** What a receiver reads of one sum. */
function send(residuals: Residuals, lease: LeaseMessage, gradient: Float32Array): Float32Array {
  const sent = residuals.code(lease, node, gradient.slice());
  expect(sent.codec === undefined).toBe(lease.feedback?.isLast);
  if (!sent.codec) return sent.gradient;
  return sent.codec.decode(sent.codec.encode(sent.gradient), gradient.length);
}

const finite = fc.float({ min: -(2 ** 100), max: 2 ** 100, noNaN: true });
const period = fc
  .tuple(fc.integer({ min: 2, max: 12 }), fc.integer({ min: 1, max: 60 }))
  .chain(([steps, length]) =>
    fc.array(
      fc.array(finite, { minLength: length, maxLength: length }).map((list) => Float32Array.from(list)),
      { minLength: steps, maxLength: steps },
    ),
  );

test('what is sent in a period is what was computed, but for one rounding a step', () => {
  fc.assert(
    fc.property(period, (gradients) => {
      const steps = gradients.length;
      const residuals = createResiduals([]);
      const sent = gradients.map((gradient, step) =>
        send(residuals, leaseOf(step, 0, step === steps - 1), gradient),
      );
      for (let i = 0; i < gradients[0]!.length; i++) {
        const sums = [gradients, sent].map((list) => list.reduce((sum, vector) => sum + vector[i]!, 0));
        const size = gradients.reduce((sum, vector) => sum + Math.abs(vector[i]!), 0);
        expect(Math.abs(sums[0]! - sums[1]!)).toBeLessThanOrEqual(steps * 2 ** -24 * size);
      }
    }),
    { seed: 1, numRuns: 300 },
  );
});

test('parts that travel exactly are sent whole in every step, and take no place among the largest', () => {
  const exactParts = [{ offset: 2, size: 3 }];
  const residuals = createResiduals(exactParts);
  const gradients = Array.from({ length: 4 }, (_, step) =>
    Float32Array.from({ length: 30 }, (__, i) => (i >= 2 && i < 5 ? 1000.1 * (step + i) : (i + step) / 64)),
  );
  for (const [step, gradient] of gradients.entries()) {
    const sent = send(residuals, leaseOf(step, 0, step === 3), gradient);
    expect(sent.subarray(2, 5)).toEqual(gradient.subarray(2, 5));
    // A tenth of the 27 others.
    if (step < 3) expect(sent.filter((x, i) => x !== 0 && (i < 2 || i >= 5))).toHaveLength(3);
  }
});

test('a group that is computed again from the start of its period is sent with the same bits', () => {
  fc.assert(
    fc.property(period, fc.nat(11), (gradients, cut) => {
      const lease = (step: number): LeaseMessage => leaseOf(5 + step, 5, step === gradients.length - 1);
      const first = createResiduals([]);
      const expected = gradients.map((gradient, step) => send(first, lease(step), gradient));
      const second = createResiduals([]);
      // It had the group before, and goes on with nothing of that.
      for (const step of gradients.keys()) if (step < cut) send(second, lease(step), gradients[step]!);
      const found = gradients.map((gradient, step) => send(second, lease(step), gradient));
      expect(found).toEqual(expected);
    }),
    { seed: 2 },
  );
});

test('a step without what the one before left out is refused', () => {
  const residuals = createResiduals([]);
  const gradient = Float32Array.of(1, 2, 3);
  send(residuals, leaseOf(5, 5, false), gradient);
  for (const version of [5, 7]) {
    expect(() => residuals.code(leaseOf(version, 4, false), node, gradient.slice())).toThrow(
      expect.objectContaining({ code: 'MESSAGE_INVALID' }) as Error,
    );
  }
  expect(() => residuals.code(leaseOf(5, 5, false), { lo: 2, hi: 3 }, gradient.slice())).toThrow(
    /not a group/,
  );
});
