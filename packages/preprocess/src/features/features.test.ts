import { assert, property, uint8Array } from 'fast-check';
import { expect, test } from 'vitest';
import { createFeatureTransform, featureStatistics } from '../index.ts';

test('bytes: mean and deviation agree with the plain definition', () => {
  assert(
    property(uint8Array({ minLength: 2, maxLength: 60 }), (values) => {
      const features = values.subarray(0, values.length - (values.length % 2));
      const { mean, deviation } = featureStatistics({ features, sampleShape: [2] });
      for (const channel of [0, 1]) {
        const column = [...features].filter((_, i) => i % 2 === channel).map((x) => x / 255);
        const average = column.reduce((a, b) => a + b, 0) / column.length;
        const variance = column.reduce((a, b) => a + (b - average) ** 2, 0) / column.length;
        expect(mean[channel]).toBeCloseTo(average, 12);
        expect(deviation[channel]).toBeCloseTo(variance === 0 ? 1 : Math.sqrt(variance), 12);
      }
    }),
    { seed: 1 },
  );
});

test('floats are taken as they are, and agree with the same values as bytes', () => {
  const bytes = Uint8Array.from({ length: 24 }, (_, i) => (i * 37) % 256);
  const floats = Float32Array.from(bytes);
  const fromBytes = featureStatistics({ features: bytes, sampleShape: [2, 3] });
  const fromFloats = featureStatistics({ features: floats, sampleShape: [2, 3] });
  for (const channel of [0, 1, 2]) {
    expect(fromFloats.mean[channel]).toBeCloseTo(255 * (fromBytes.mean[channel] as number), 9);
    expect(fromFloats.deviation[channel]).toBeCloseTo(255 * (fromBytes.deviation[channel] as number), 9);
  }
});

test('only the given samples count', () => {
  const features = new Uint8Array([255, 0, 0, 255]);
  const { mean } = featureStatistics({ features, sampleShape: [1], indices: new Uint32Array([0, 3]) });
  expect(mean).toEqual([1]);
});

test('wrong sizes and indices are refused', () => {
  expect(() => featureStatistics({ features: new Uint8Array(5), sampleShape: [2] })).toThrow(/5 values/);
  const outside = { features: new Uint8Array(4), sampleShape: [2], indices: new Uint32Array([2]) };
  expect(() => featureStatistics(outside)).toThrow(/2 is not below the sample count 2/);
  expect(() => featureStatistics({ features: new Uint8Array(0), sampleShape: [2] })).toThrow(/no sample/);
});

test('normalise maps bytes to [0, 1] and leaves floats alone', () => {
  const transform = createFeatureTransform({ type: 'normalise' });
  const out = new Float32Array(3);
  transform(new Uint8Array([0, 51, 255]), out);
  expect([...out]).toEqual([0, Math.fround(0.2), 1]);
  transform(new Float32Array([-1, 0.5, 300]), out);
  expect([...out]).toEqual([-1, 0.5, 300]);
});

test.each(['bytes', 'floats'])('standardised %s have mean 0 and variance 1 in every channel', (kind) => {
  const bytes = Uint8Array.from({ length: 300 }, (_, i) => (i * i * 7 + i) % 256);
  const features = kind === 'bytes' ? bytes : Float32Array.from(bytes);
  const sampleShape = [5, 3];
  const out = new Float32Array(features.length);
  createFeatureTransform({ type: 'standardise' }, featureStatistics({ features, sampleShape }))(
    features,
    out,
  );
  const after = featureStatistics({ features: out, sampleShape });
  for (const channel of [0, 1, 2]) {
    expect(after.mean[channel]).toBeCloseTo(0, 6);
    expect(after.deviation[channel]).toBeCloseTo(1, 6);
  }
});

test('missing statistics, bad deviations and lengths are refused', () => {
  expect(() => createFeatureTransform({ type: 'standardise' })).toThrow(TypeError);
  const flat = { mean: [0], deviation: [0] };
  expect(() => createFeatureTransform({ type: 'standardise' }, flat)).toThrow(/deviation\[0\].*found 0/);
  const transform = createFeatureTransform({ type: 'normalise' });
  expect(() => transform(new Uint8Array(3), new Float32Array(2))).toThrow(/expected length 3, found 2/);
});
