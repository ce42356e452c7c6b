import { runsOf } from '../layout.ts';
import { plainVectors } from '../vectors/plain-vectors.ts';
import { updateRuns } from './update-runs.ts';
import type { ParameterLayout } from '../layout.ts';
import type { AdamSpec } from '../specs.ts';
import type { Optimizer, OptimizerOptions } from './optimizer.ts';

/**
 * Adam (Kingma & Ba 2015, algorithm 1) and AdamW (Loshchilov & Hutter 2019, algorithm 2, where the decay is
 * scaled by the learning rate, as in PyTorch, and acts on kernels only). For update t, from 1:
 *
 *     m = beta1 * m + (1 - beta1) * gradient
 *     v = beta2 * v + (1 - beta2) * gradient^2
 *     weights -= learningRate * (m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon) + weightDecay * weights)
 */
export function createAdam(
  spec: AdamSpec,
  layout: ParameterLayout,
  { stepsDone = 0, vectors = plainVectors }: OptimizerOptions,
): Optimizer {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7 } = spec;
  const weightDecay = spec.type === 'adamw' ? (spec.weightDecay ?? 0.01) : 0;
  checkCoefficients({ beta1, beta2, epsilon, weightDecay });

  const { state, update } = vectors.createAdam(layout.size);
  const runs = runsOf(layout);
  // beta^t, by multiplication: Math.pow differs between engines.
  let power1 = 1;
  let power2 = 1;
  const advance = (): void => {
    power1 *= beta1;
    power2 *= beta2;
  };
  for (let t = 0; t < stepsDone; t++) advance();

  return {
    state,
    step({ weights, gradient, into = weights }, learningRate) {
      advance();
      const rate = learningRate / (1 - power1);
      const secondScale = 1 / (1 - power2);
      return updateRuns(runs, (run) => {
        const decay = run.role === 'kernel' ? learningRate * weightDecay : 0;
        const coefficients = { beta1, beta2, epsilon, rate, secondScale, decay };
        return update({ weights, gradient, into }, run, coefficients);
      });
    },
  };
}

type Coefficients = Required<Pick<AdamSpec, 'beta1' | 'beta2' | 'epsilon' | 'weightDecay'>>;

function checkCoefficients({ beta1, beta2, epsilon, weightDecay }: Coefficients): void {
  if (!(beta1 >= 0 && beta1 < 1)) throw new RangeError(`beta1 must be in [0, 1), found ${beta1}`);
  if (!(beta2 >= 0 && beta2 < 1)) throw new RangeError(`beta2 must be in [0, 1), found ${beta2}`);
  if (!(epsilon > 0)) throw new RangeError(`epsilon must be above 0, found ${epsilon}`);
  if (!(weightDecay >= 0)) throw new RangeError(`weightDecay must be at least 0, found ${weightDecay}`);
}
