import { type Codecs, leaseOf } from '@gradwire/coordinator';
import {
  createEngine,
  type EngineEffect,
  type EnginePlan,
  type PartialSum,
  plainVectors,
  type Round,
  type RunState,
  type TreeNode,
  type WorkerId,
  createCatchUp,
} from '@gradwire/engine';
import type { Bench } from '@gradwire/worker';

/** A run's plan, how its vectors travel, and what computes. */
export interface LoneWorkerOptions {
  readonly plan: EnginePlan;
  readonly codecs: Codecs;
  readonly bench: Bench;
}

/** Where a step begins. */
export interface StepStart {
  readonly round: Round;
  readonly weights: Float32Array;
}

/** Computes steps of a run alone, without a coordinator and without connections. */
export interface LoneWorker {
  /**
   * Yields the weights before each step from where `from` stands: a coordinator's and a worker's part in one. They do
   * not change afterwards. Ends with the run's steps; stopping early is fine.
   */
  steps(from: RunState | undefined): AsyncGenerator<StepStart>;
  /** Checksum of the sum over one node of the tree, as a ledger has it. */
  checksum(start: StepStart, node: TreeNode): Promise<string>;
}

const me = 'here' as WorkerId;

export function createLoneWorker({ plan, codecs, bench }: LoneWorkerOptions): LoneWorker {
  const catchUp = createCatchUp(plan);
  const compute = async (start: StepStart, leaves: readonly number[]): Promise<PartialSum[]> => {
    const partials: PartialSum[] = [];
    for (const work of catchUp.expand(bench, { ...start, leaves })) {
      // What a worker reads is what was written in the codec.
      bench.setWeights(codecs.weights.decode(codecs.weights.encode(work.weights), work.weights.length));
      for await (const partial of bench.compute(leaseOf(work, 0, codecs.gradients))) {
        const { codec } = partial;
        const gradient = codec
          ? codec.decode(codec.encode(partial.gradient), partial.gradient.length)
          : partial.gradient.slice();
        partials.push({
          ...partial,
          gradient,
          metrics: partial.metrics.slice(),
          isCoded: codec !== undefined,
        });
      }
    }
    return partials;
  };
  /** An evaluation changes no weights: nobody computes it. */
  const evaluated = ({ index, leafCount }: Round): PartialSum => ({
    round: index,
    lo: 0,
    hi: leafCount,
    samples: leafCount,
    computeMs: 0,
    gradient: new Float32Array(0),
    metrics: new Float64Array(2 + plan.classes ** 2),
  });
  return {
    async *steps(from) {
      const blocks = { validation: [1], test: [1] };
      const engine = createEngine(
        { ...plan, evaluations: { ...plan.evaluations, blocks } },
        from ? { from } : {},
      );
      let last: Round | undefined;
      const queue: EngineEffect[] = [
        ...engine.start(0),
        ...engine.handle({ type: 'worker-joined', worker: me, atMs: 0 }),
        ...engine.handle({ type: 'worker-ready', worker: me, numericsClass: bench.numericsClass, atMs: 0 }),
      ];
      for (let effect = queue.shift(); effect; effect = queue.shift()) {
        if (effect.type === 'prepare') {
          const { shards } = effect;
          queue.push(...engine.handle({ type: 'worker-prepared', worker: me, shards, atMs: 0 }));
        }
        if (effect.type !== 'lease') continue;
        const { round, leaves } = effect;
        const weights = engine.weights();
        if (round.task === 'step' && round.index !== last?.index) yield { round, weights };
        last = round;
        const partials =
          round.task === 'step' ? await compute({ round, weights }, leaves) : [evaluated(round)];
        for (const partial of partials)
          queue.push(...engine.handle({ type: 'partial-arrived', worker: me, partial, atMs: 0 }));
      }
    },
    async checksum(start, { lo, hi }) {
      const leaves = Array.from({ length: hi - lo }, (_, i) => lo + i);
      const [partial] = await compute(start, leaves);
      return plainVectors.checksum(partial?.gradient ?? new Float32Array(0));
    },
  };
}
