import { firstNonFinite } from '../gradients/finite.ts';
import { parameterAt } from '../layout.ts';
import { describeLeaves, describeRound } from './sequence.ts';
import type { EngineEffect, EnginePlan, PartialSum } from '../events.ts';
import type { VectorMath } from '../vectors/vector-math.ts';
import type { PartialCase } from './judge-partial.ts';
import type { ActiveRound } from './state.ts';

type NonFiniteError = NonNullable<Extract<EngineEffect, { readonly type: 'end' }>['error']>;

/** Why a partial must not be added: it holds NaN or infinity. Names step, shards, tensor and worker. */
export function findNonFinite(
  { plan, active, worker, partial }: PartialCase,
  vectors: VectorMath,
): NonFiniteError | undefined {
  const what = nonFiniteValue(plan, partial, vectors);
  if (!what) return undefined;
  const leaves = describeLeaves(active.round, active.leases.leaves(partial));
  return nonFinite(active, `${what} in the sum over ${leaves}, computed by ${worker}`);
}

/** The same for the sum over all shards: finite parts can overflow together. */
export function describeOverflow(
  plan: EnginePlan,
  active: ActiveRound,
  gradient: Float32Array,
): NonFiniteError {
  return nonFinite(active, `${nonFiniteElement(plan, gradient)} in the sum over all shards, an overflow`);
}

/** The same for new weights: a finite gradient times a large learning rate can overflow. */
export function describeDivergence(
  plan: EnginePlan,
  active: ActiveRound,
  weights: Float32Array,
): NonFiniteError {
  const index = firstNonFinite(weights);
  const { name } = parameterAt(plan.layout, index);
  return nonFinite(active, `${name} would become ${weights[index]}: the learning rate is too large`);
}

function nonFiniteValue(
  plan: EnginePlan,
  { gradient, metrics }: PartialSum,
  vectors: VectorMath,
): string | undefined {
  if (!vectors.isFinite(gradient)) return nonFiniteElement(plan, gradient);
  return Number.isFinite(metrics[0]) ? undefined : `the loss is ${metrics[0]}`;
}

function nonFiniteElement(plan: EnginePlan, gradient: Float32Array): string {
  const index = firstNonFinite(gradient);
  return `the gradient of ${parameterAt(plan.layout, index).name} is ${gradient[index]}`;
}

function nonFinite({ round }: ActiveRound, what: string): NonFiniteError {
  return { code: 'NON_FINITE', message: `${describeRound(round)}: ${what}; the weights are unchanged.` };
}
