import { createAdam } from './adam.ts';
import { createSgd } from './sgd.ts';
import type { ParameterLayout } from '../layout.ts';
import type { OptimizerSpec } from '../specs.ts';
import type { Optimizer, OptimizerOptions } from './optimizer.ts';

/**
 * Creates the optimizer that a recipe names.
 *
 * @throws RangeError if a coefficient is out of range.
 * @example
 * const adam = createOptimizer({ type: 'adam' }, layout);
 * adam.step({ weights, gradient }, 0.001);
 */
export function createOptimizer(
  spec: OptimizerSpec,
  layout: ParameterLayout,
  options: OptimizerOptions = {},
): Optimizer {
  return spec.type === 'sgd' ? createSgd(spec, layout, options) : createAdam(spec, layout, options);
}
