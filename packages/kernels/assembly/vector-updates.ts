import { load2, store2 } from './vector-lanes';

// `weights` and `gradient` are blocks with room for 3 more elements; state vectors are exact: the next span's state
// follows. New weights go over the old ones. The formulas are those of packages/engine, in the same order.

/** Plain gradient descent. */
export function descend(weights: usize, gradient: usize, count: i32, learningRate: f64): void {
  const rate = f64x2.splat(learningRate);
  for (let i: usize = 0; i < (<usize>count) << 2; i += 8) {
    store2(weights + i, f64x2.sub(load2(weights + i), f64x2.mul(rate, load2(gradient + i))));
  }
}

/** @param spare 16 bytes. */
export function momentum(
  weights: usize,
  gradient: usize,
  velocity: usize,
  count: i32,
  learningRate: f64,
  factor: f64,
  nesterov: bool,
  spare: usize,
): void {
  const whole = count & ~3;
  moveWeights(weights, gradient, velocity, whole, learningRate, factor, nesterov);
  if (whole == count) return;
  const at = (<usize>whole) << 2;
  const rest = (<usize>(count & 3)) << 2;
  memory.copy(spare, velocity + at, rest);
  moveWeights(weights + at, gradient + at, spare, 4, learningRate, factor, nesterov);
  memory.copy(velocity + at, spare, rest);
}

/** @param count A multiple of 4. */
function moveWeights(
  weights: usize,
  gradient: usize,
  velocity: usize,
  count: i32,
  learningRate: f64,
  factor: f64,
  nesterov: bool,
): void {
  const rate = f64x2.splat(learningRate);
  const factors = f64x2.splat(factor);
  for (let i: usize = 0; i < (<usize>count) << 2; i += 8) {
    const g = load2(gradient + i);
    const v = f64x2.add(f64x2.mul(factors, load2(velocity + i)), g);
    store2(velocity + i, v);
    const direction = nesterov ? f64x2.add(g, f64x2.mul(factors, v)) : v;
    store2(weights + i, f64x2.sub(load2(weights + i), f64x2.mul(rate, direction)));
  }
}

/** @param spare 32 bytes. */
export function adam(
  weights: usize,
  gradient: usize,
  first: usize,
  second: usize,
  count: i32,
  beta1: f64,
  beta2: f64,
  epsilon: f64,
  rate: f64,
  secondScale: f64,
  decay: f64,
  spare: usize,
): void {
  const whole = count & ~3;
  adapt(weights, gradient, first, second, whole, beta1, beta2, epsilon, rate, secondScale, decay);
  if (whole == count) return;
  const at = (<usize>whole) << 2;
  const rest = (<usize>(count & 3)) << 2;
  memory.copy(spare, first + at, rest);
  memory.copy(spare + 16, second + at, rest);
  weights += at;
  gradient += at;
  adapt(weights, gradient, spare, spare + 16, 4, beta1, beta2, epsilon, rate, secondScale, decay);
  memory.copy(first + at, spare, rest);
  memory.copy(second + at, spare + 16, rest);
}

/** @param count A multiple of 4. */
function adapt(
  weights: usize,
  gradient: usize,
  first: usize,
  second: usize,
  count: i32,
  beta1: f64,
  beta2: f64,
  epsilon: f64,
  rate: f64,
  secondScale: f64,
  decay: f64,
): void {
  const keep1 = f64x2.splat(beta1);
  const take1 = f64x2.splat(1 - beta1);
  const keep2 = f64x2.splat(beta2);
  const take2 = f64x2.splat(1 - beta2);
  const rates = f64x2.splat(rate);
  const scales = f64x2.splat(secondScale);
  const epsilons = f64x2.splat(epsilon);
  const decays = f64x2.splat(decay);
  // Two chains side by side: each waits long for its root and its quotient.
  for (let i: usize = 0; i < (<usize>count) << 2; i += 16) {
    const ga = load2(gradient + i);
    const gb = load2(gradient + i + 8);
    const ma = f64x2.add(f64x2.mul(keep1, load2(first + i)), f64x2.mul(take1, ga));
    const mb = f64x2.add(f64x2.mul(keep1, load2(first + i + 8)), f64x2.mul(take1, gb));
    const va = f64x2.add(f64x2.mul(keep2, load2(second + i)), f64x2.mul(f64x2.mul(take2, ga), ga));
    const vb = f64x2.add(f64x2.mul(keep2, load2(second + i + 8)), f64x2.mul(f64x2.mul(take2, gb), gb));
    store2(first + i, ma);
    store2(first + i + 8, mb);
    store2(second + i, va);
    store2(second + i + 8, vb);
    const wa = load2(weights + i);
    const wb = load2(weights + i + 8);
    const ua = f64x2.div(f64x2.mul(rates, ma), f64x2.add(f64x2.sqrt(f64x2.mul(va, scales)), epsilons));
    const ub = f64x2.div(f64x2.mul(rates, mb), f64x2.add(f64x2.sqrt(f64x2.mul(vb, scales)), epsilons));
    store2(weights + i, f64x2.sub(wa, f64x2.add(ua, f64x2.mul(decays, wa))));
    store2(weights + i + 8, f64x2.sub(wb, f64x2.add(ub, f64x2.mul(decays, wb))));
  }
}
