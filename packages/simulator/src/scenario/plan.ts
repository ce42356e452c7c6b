import type { EnginePlan, Parameter } from '@gradwire/engine';
import type { Draws } from '../base/draws.ts';

/** A small run: a few steps over up to nine shards, some of them empty in some steps, each setting drawn. */
export function drawPlan(draws: Draws): EnginePlan {
  const shards = 1 + draws.below(9);
  const stepsPerEpoch = 1 + draws.below(3);
  const samples = Array.from({ length: stepsPerEpoch }, () => drawSamples(draws, shards));
  const isAsynchronous = draws.chance(0.1);
  const isCoded = !isAsynchronous && draws.chance(0.2);
  return {
    layout,
    initialWeights: Float32Array.from({ length: layout.size }, () => draws.between(-0.5, 0.5)),
    optimizer: draws.pick(optimizers),
    schedule: { type: 'one-cycle', learningRate: 0.1 },
    ...(draws.chance(0.5) ? { l2: 0.01, clipNorm: 50 } : {}),
    ...(isCoded ? { coding: { groupSize: 2 ** draws.below(4), code: roundRoughly } } : {}),
    ...(isAsynchronous ? { maxStaleness: draws.below(3) } : {}),
    shards,
    stepsPerEpoch,
    totalSteps: 1 + draws.below(4),
    classes: 2,
    stepSamples: (step) => samples[step] ?? [],
    evaluations: {
      afterEpoch: draws.chance(0.5) ? 'validation' : 'test',
      atEnd: 'test',
      blocks: { validation: [3, 0, 2], test: [5, 1] },
    },
  };
}

/** Error feedback of a lossy codec: periods of a few steps. In an epoch's last step only shards may lack samples. */
export function withKeptRest(plan: EnginePlan, draws: Draws): EnginePlan {
  const stepsPerEpoch = 3 + draws.below(4);
  const full = Array.from({ length: plan.shards }, () => 1 + draws.below(3));
  const last = drawSamples(draws, plan.shards);
  return {
    ...plan,
    coding: { groupSize: 2 ** draws.below(3), code: roundRoughly, feedbackSteps: 2 + draws.below(4) },
    stepsPerEpoch,
    totalSteps: stepsPerEpoch + draws.below(4),
    stepSamples: (step) => (step === stepsPerEpoch - 1 ? last : full),
  };
}

/** At least one shard has samples. */
function drawSamples(draws: Draws, shards: number): number[] {
  const full = draws.below(shards);
  return Array.from({ length: shards }, (_, leaf) => (leaf === full ? 2 : draws.below(4)));
}

const layout: { readonly size: number; readonly parameters: readonly Parameter[] } = {
  size: 3,
  parameters: [
    { name: 'kernel', shape: [2], offset: 0, size: 2, role: 'kernel' },
    { name: 'bias', shape: [1], offset: 2, size: 1, role: 'bias' },
  ],
};

const optimizers = [
  { type: 'sgd' },
  { type: 'sgd', momentum: 0.9 },
  { type: 'adam' },
  { type: 'adamw' },
] as const;

/** A stand-in for a lossy codec: it keeps a few bits, and doing it twice, or before an addition, gives other numbers. */
function roundRoughly(gradient: Float32Array): Float32Array {
  return gradient.map((value) => Math.round(value * 8) / 8 + 0.07);
}
