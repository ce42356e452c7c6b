import { createOptimizer } from '../optimizers/create-optimizer.ts';
import { isPeriodStart } from './feedback.ts';
import type { EnginePlan, Round } from '../events.ts';
import type { Optimizer } from '../optimizers/optimizer.ts';
import type { VectorMath } from '../vectors/vector-math.ts';
import type { EpochTotals, Run } from './state.ts';

/** Where a run stands between two rounds: all that a later round depends on. */
export interface RunState {
  /** Closed last; absent before the first. */
  readonly lastRound?: Round;
  /** Must not change while an engine uses it. */
  readonly weights: Float32Array;
  /** What the optimizer remembers, by name: see {@link Optimizer.state}. */
  readonly optimizer: Readonly<Record<string, Float32Array>>;
  /** Sums over the training samples of the epoch so far. */
  readonly epochTotals: Readonly<EpochTotals>;
}

/** The state before the first round. */
export function initialState({ initialWeights }: EnginePlan): RunState {
  return {
    weights: initialWeights.slice(),
    optimizer: {},
    epochTotals: { samples: 0, loss: 0, correct: 0 },
  };
}

/** Steps committed in a state. */
export function stepsIn({ lastRound }: Pick<RunState, 'lastRound'>): number {
  if (!lastRound) return 0;
  return lastRound.version + (lastRound.task === 'step' ? 1 : 0);
}

/**
 * The state as of the last closed round. The optimizer's vectors are copied, the weights never change. None while
 * steps are computed asynchronously: then those before the newest may still be missing. And none within a period of error
 * feedback: then workers keep what a later round depends on.
 */
export function snapshotRun({
  plan,
  lastRound,
  weights,
  optimizer,
  epochTotals,
  pool,
  phase,
}: Run): RunState | undefined {
  // A run that failed may have spoilt its optimizer.
  if (pool || phase === 'failed') return undefined;
  const stepsDone = lastRound ? stepsIn({ lastRound }) : 0;
  if (!isPeriodStart(plan, stepsDone)) return undefined;
  const vectors: Record<string, Float32Array> = {};
  for (const name in optimizer.state) vectors[name] = optimizer.state[name]!.slice();
  const state = { weights, optimizer: vectors, epochTotals: { ...epochTotals } };
  return lastRound ? { lastRound, ...state } : state;
}

/**
 * Creates an optimizer that goes on from a state.
 *
 * @throws RangeError if the vectors are not those of this plan's optimizer.
 */
export function optimizerAt(plan: EnginePlan, vectors: VectorMath, state: RunState): Optimizer {
  const stepsDone = stepsIn(state);
  const optimizer = createOptimizer(plan.optimizer, plan.layout, { vectors, stepsDone });
  if (state.weights.length !== plan.layout.size) {
    throw new RangeError(`state: ${state.weights.length} weights, the layout has ${plan.layout.size}`);
  }
  if (!isPeriodStart(plan, stepsDone))
    throw new RangeError(`state: ${stepsDone} steps end within a period of error feedback`);
  if (stepsDone === 0) return optimizer;
  const expected = Object.keys(optimizer.state).toSorted().join(', ');
  const found = Object.keys(state.optimizer).toSorted().join(', ');
  if (found !== expected) throw new RangeError(`state: optimizer vectors [${found}], expected [${expected}]`);
  for (const [name, vector] of Object.entries(optimizer.state)) {
    const values = state.optimizer[name] ?? new Float32Array(0);
    if (values.length !== vector.length) {
      throw new RangeError(`state: ${name} has ${values.length} elements, expected ${vector.length}`);
    }
    vector.set(values);
  }
  return optimizer;
}
