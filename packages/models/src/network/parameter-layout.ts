import type { Parameter, ParameterLayout } from '@gradwire/engine';
import type { ModelSpec } from '../specs.ts';
import { resolveLayers } from './resolve-layers.ts';

/**
 * How a network's weights lie in one flat vector: layer by layer, kernel before bias, as tfjs and Keras order them; of a
 * batch normalisation scale, shift, moving mean, moving variance.
 * Kernel shapes: `[height, width, input channels, filters]`, `[height, width, channels, multiplier]`, `[inputs, units]`.
 *
 * @throws GradwireError `RECIPE_INVALID` if the layers do not fit together.
 *
 * @example
 * parameterLayout(mnistCnn).size; // 225034
 */
export function parameterLayout(spec: ModelSpec): ParameterLayout {
  let offset = 0;
  const parameters: Parameter[] = [];
  for (const { initial: _, ...parameter } of resolveLayers(spec).flatMap((layer) => layer.parameters)) {
    const size = parameter.shape.reduce((product, side) => product * side, 1);
    parameters.push({ ...parameter, offset, size });
    offset += size;
  }
  return { parameters, size: offset };
}
