import { isFiniteSpan } from './plain-sums.ts';
import type {
  AdamCoefficients,
  MomentumCoefficients,
  Span,
  UpdateRule,
  UpdateVectors,
} from './vector-math.ts';

export function descend(vectors: UpdateVectors, span: Span, learningRate: number): boolean {
  const { weights, gradient, into } = vectors;
  for (let i = span.start; i < span.end; i++) into[i] = weights[i]! - learningRate * gradient[i]!;
  return isFiniteSpan(into, span);
}

export function createMomentum(length: number): UpdateRule<MomentumCoefficients, 'velocity'> {
  const velocity = new Float32Array(length);
  return {
    state: { velocity },
    update({ weights, gradient, into }, span, { learningRate, momentum, nesterov }) {
      for (let i = span.start; i < span.end; i++) {
        const g = gradient[i]!;
        const v = momentum * velocity[i]! + g;
        velocity[i] = v;
        into[i] = weights[i]! - learningRate * (nesterov ? g + momentum * v : v);
      }
      return isFiniteSpan(into, span);
    },
  };
}

export function createAdam(length: number): UpdateRule<AdamCoefficients, 'firstMoment' | 'secondMoment'> {
  const firstMoment = new Float32Array(length);
  const secondMoment = new Float32Array(length);
  return {
    state: { firstMoment, secondMoment },
    update({ weights, gradient, into }, span, coefficients) {
      const { beta1, beta2, epsilon, rate, secondScale, decay } = coefficients;
      for (let i = span.start; i < span.end; i++) {
        const g = gradient[i]!;
        const m = beta1 * firstMoment[i]! + (1 - beta1) * g;
        const v = beta2 * secondMoment[i]! + (1 - beta2) * g * g;
        firstMoment[i] = m;
        secondMoment[i] = v;
        const w = weights[i]!;
        into[i] = w - ((rate * m) / (Math.sqrt(v * secondScale) + epsilon) + decay * w);
      }
      return isFiniteSpan(into, span);
    },
  };
}
