import type { ParameterLayout } from '../layout.ts';
import type { SgdSpec } from '../specs.ts';
import type { Optimizer } from './optimizer.ts';

/**
 * Stochastic gradient descent, with momentum as in Sutskever et al. 2013 (the form of PyTorch and tfjs):
 *
 *     velocity = momentum * velocity + gradient
 *     weights -= learningRate * velocity                              plain momentum
 *     weights -= learningRate * (gradient + momentum * velocity)      Nesterov
 */
export function createSgd(spec: SgdSpec, layout: ParameterLayout): Optimizer {
  const { momentum = 0, nesterov = false } = spec;
  if (!(momentum >= 0 && momentum < 1)) throw new RangeError(`momentum must be in [0, 1), found ${momentum}`);
  if (momentum === 0) return { step: descend, state: {} };

  const velocity = new Float32Array(layout.size);
  return {
    state: { velocity },
    step(weights, gradient, learningRate) {
      for (let i = 0; i < weights.length; i++) {
        const g = gradient[i]!;
        const v = momentum * velocity[i]! + g;
        velocity[i] = v;
        weights[i]! -= learningRate * (nesterov ? g + momentum * v : v);
      }
    },
  };
}

function descend(weights: Float32Array, gradient: Float32Array, learningRate: number): void {
  for (let i = 0; i < weights.length; i++) weights[i]! -= learningRate * gradient[i]!;
}
