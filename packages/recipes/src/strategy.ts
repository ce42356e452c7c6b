/** How workers and coordinator share the work of training. */
export type Strategy =
  /** One optimizer update a step, from the mean gradient over all shards. */
  { readonly type: 'synchronous' } | LocalSgd | DiLoCo | Asynchronous;

/** Local SGD (Stich 2019): the weights after a step are the mean over the shards of what local training made of them. */
export interface LocalSgd {
  readonly type: 'local-sgd';
  /** Micro-batches that a shard is trained on in a row, in one step. */
  readonly localSteps: number;
}

/** DiLoCo (Douillard et al. 2023): as local SGD, but an outer SGD with Nesterov momentum takes the mean change as its gradient. */
export interface DiLoCo {
  readonly type: 'diloco';
  /** Micro-batches that a shard is trained on in a row, in one step. */
  readonly localSteps: number;
  /** Default 1. */
  readonly outerLearningRate?: number;
  /** In [0, 1), default 0.5. */
  readonly outerMomentum?: number;
}

/**
 * The outer step of DiLoCo. The paper's 0.7 and 0.9 go seven times as far as the mean change: quick at first, but over ten
 * epochs a point of accuracy is lost (docs/strategies.md).
 */
export function outerStep({ outerLearningRate = 1, outerMomentum = 0.5 }: DiLoCo): {
  readonly learningRate: number;
  readonly momentum: number;
} {
  return { learningRate: outerLearningRate, momentum: outerMomentum };
}

/**
 * Each worker takes whole steps by itself; its gradient is applied as soon as it arrives, on weights that may have
 * changed since. The result depends on the order of arrival.
 */
export interface Asynchronous {
  readonly type: 'asynchronous';
  /** A gradient is used if at most this many updates were made since its weights were sent; else it is computed anew. */
  readonly maxStaleness: number;
}

/** A strategy in which a shard is trained on several micro-batches in one step. */
export type LocalStrategy = LocalSgd | DiLoCo;

/** The strategy if it trains locally, else undefined. */
export function localStrategy(strategy: Strategy | undefined): LocalStrategy | undefined {
  return strategy?.type === 'local-sgd' || strategy?.type === 'diloco' ? strategy : undefined;
}
