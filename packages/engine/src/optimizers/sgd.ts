import { runsOf } from '../layout.ts';
import { plainVectors } from '../vectors/plain-vectors.ts';
import { updateRuns } from './update-runs.ts';
import type { ParameterLayout } from '../layout.ts';
import type { SgdSpec } from '../specs.ts';
import type { Optimizer, OptimizerOptions } from './optimizer.ts';

/**
 * Stochastic gradient descent, with momentum as in Sutskever et al. 2013 (the form of PyTorch and tfjs):
 *
 *     velocity = momentum * velocity + gradient
 *     weights -= learningRate * velocity                              plain momentum
 *     weights -= learningRate * (gradient + momentum * velocity)      Nesterov
 */
export function createSgd(
  spec: SgdSpec,
  layout: ParameterLayout,
  { vectors = plainVectors }: OptimizerOptions,
): Optimizer {
  const { momentum = 0, nesterov = false } = spec;
  if (!(momentum >= 0 && momentum < 1)) throw new RangeError(`momentum must be in [0, 1), found ${momentum}`);
  const runs = runsOf(layout);
  if (momentum === 0) {
    return {
      state: {},
      step: ({ weights, gradient, into = weights }, learningRate) =>
        updateRuns(runs, (run) => vectors.descend({ weights, gradient, into }, run, learningRate)),
    };
  }

  const { state, update } = vectors.createMomentum(layout.size);
  return {
    state,
    step({ weights, gradient, into = weights }, learningRate) {
      const coefficients = { learningRate, momentum, nesterov };
      return updateRuns(runs, (run) => update({ weights, gradient, into }, run, coefficients));
    },
  };
}
