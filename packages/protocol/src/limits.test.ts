import { expect, test } from 'vitest';
import { closeCodes, describeCloseCode, encodeMessage, maxParameters, messageLimits } from './index.ts';
import { bounds } from './limits.ts';

test('a full gradient with full metrics fits, and not much more', () => {
  const parameters = 225_034;
  const gradient = new Float32Array(parameters);
  const metrics = new Float64Array(2 + 256 * 256);
  const fields = { type: 'partial', term: 1, round: 0, lo: 0, hi: 1, samples: 1, computeMs: 0 } as const;
  const { maxFrameBytes, maxHeaderBytes } = messageLimits({ parameters, role: 'worker' });
  const { length } = encodeMessage({ ...fields, gradient, metrics });
  expect(length).toBeLessThan(maxFrameBytes);
  expect(length).toBeGreaterThan(maxFrameBytes - maxHeaderBytes);
});

test('the largest frame can be given to a WebSocket library that counts in 32 bits', () => {
  expect(messageLimits({ parameters: maxParameters }).maxFrameBytes).toBeLessThan(2 ** 31);
  expect(messageLimits().maxFrameBytes).toBe(messageLimits({ parameters: maxParameters }).maxFrameBytes);
  expect(bounds.leaves).toBeLessThan(messageLimits().maxItems);
});

test.each([0, -1, 1.5, Number.NaN, maxParameters + 1])('parameters: %d is refused', (parameters) => {
  expect(() => messageLimits({ parameters })).toThrow(RangeError);
});

test('close codes are in the range for applications, each once, with a sentence', () => {
  const codes = Object.values(closeCodes).map(({ code }) => code);
  expect(new Set(codes).size).toBe(codes.length);
  for (const { code, sentence } of Object.values(closeCodes)) {
    expect(code).toBeGreaterThanOrEqual(4000);
    expect(code).toBeLessThanOrEqual(4999);
    expect(sentence).toMatch(/^[A-Z].*\.$/);
    expect(describeCloseCode(code).sentence).toBe(sentence);
  }
  expect(describeCloseCode(1006)).toMatchObject({ code: 1006, reconnect: true });
  expect(describeCloseCode(4567).sentence).toContain('4567');
});
