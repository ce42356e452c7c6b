import type {
  AdamCoefficients,
  MomentumCoefficients,
  Span,
  UpdateRule,
  UpdateVectors,
} from '@gradwire/engine';
import { plainVectors } from '@gradwire/engine/arithmetic';
import { copyIn, copyOut, forEachBlock } from './blocks.ts';
import { createInstance, type VectorInstance, type VectorModule } from './module.ts';

/** Updates a span block by block. Returns whether all its new weights are finite. */
export function updateSpan(
  { run, target, source }: VectorInstance,
  { weights, gradient, into, span }: UpdateVectors & { readonly span: Span },
  updateBlock: (start: number, count: number) => void,
): boolean {
  let isFinite = true;
  forEachBlock(span, (block, count) => {
    copyIn(target, weights, block);
    copyIn(source, gradient, block);
    updateBlock(block.start, count);
    if (!run.isFinite(target.address, count)) isFinite = false;
    copyOut(target, into, block);
  });
  return isFinite;
}

export function createMomentum(
  compiled: VectorModule,
  length: number,
): UpdateRule<MomentumCoefficients, 'velocity'> {
  const instance = tryInstance(compiled, { count: 1, length });
  const velocity = instance?.state[0];
  if (!instance || !velocity) return plainVectors.createMomentum(length);
  const { run, target, source, spare } = instance;
  return {
    state: { velocity: velocity.values },
    update: (vectors, span, { learningRate, momentum, nesterov }) =>
      updateSpan(instance, { ...vectors, span }, (start, count) => {
        const v = velocity.address + 4 * start;
        run.momentum(target.address, source.address, v, count, learningRate, momentum, nesterov, spare);
      }),
  };
}

export function createAdam(
  compiled: VectorModule,
  length: number,
): UpdateRule<AdamCoefficients, 'firstMoment' | 'secondMoment'> {
  const instance = tryInstance(compiled, { count: 2, length });
  const [first, second] = instance?.state ?? [];
  if (!instance || !first || !second) return plainVectors.createAdam(length);
  const { run, target, source, spare } = instance;
  return {
    state: { firstMoment: first.values, secondMoment: second.values },
    update: (vectors, span, { beta1, beta2, epsilon, rate, secondScale, decay }) =>
      updateSpan(instance, { ...vectors, span }, (start, count) => {
        const [m, v] = [first.address + 4 * start, second.address + 4 * start];
        const [w, g] = [target.address, source.address];
        run.adam(w, g, m, v, count, beta1, beta2, epsilon, rate, secondScale, decay, spare);
      }),
  };
}

/** None if the state does not fit into one memory: then plain TypeScript has to do. */
function tryInstance(
  compiled: VectorModule,
  state: { readonly count: number; readonly length: number },
): VectorInstance | undefined {
  try {
    return createInstance(compiled, state);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
