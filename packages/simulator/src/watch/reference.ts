import {
  addSums,
  averageGradient,
  createOptimizer,
  type EnginePlan,
  isGroupNode,
  learningRateAt,
  type Round,
  type Sums,
  treeMid,
  type TreeNode,
} from '@gradwire/engine';
import type { Work } from '../scenario/work.ts';

/** What a run must compute, by the definition: a loop over the steps and the recursive tree, without engine or workers. */
export interface Reference {
  /** The weights after so many steps. */
  weightsAt(version: number): Float32Array;
  /** The sum over all leaves of an evaluation, on the reference's own weights. */
  evaluation(round: Round): Sums;
  /** Samples, loss and metrics of the step that makes this version. */
  step(version: number): Pick<Sums, 'samples' | 'metrics'>;
}

/** Computes as far as it is asked, and remembers. */
export function createReference(plan: EnginePlan, work: Work): Reference {
  const optimizer = createOptimizer(plan.optimizer, plan.layout);
  const versions = [plan.initialWeights.slice()];
  const steps: Pick<Sums, 'samples' | 'metrics'>[] = [];

  const sumOf = (round: Round): Sums => {
    const samples = round.split ? plan.evaluations.blocks[round.split] : plan.stepSamples(round.step);
    const sums = nodeSum(
      { plan, work, round, samples, weights: weightsAt(round.version) },
      {
        lo: 0,
        hi: round.leafCount,
      },
    );
    if (!sums) throw new RangeError('a round without samples');
    return sums;
  };
  const advance = (): void => {
    const version = versions.length - 1;
    const weights = versions[version]!.slice();
    const { gradient, samples, metrics } = sumOf(stepRound(plan, version));
    averageGradient(gradient, weights, { ...plan, samples });
    optimizer.step({ weights, gradient }, learningRateAt(plan.schedule, { step: version, ...plan }));
    versions.push(weights);
    steps.push({ samples, metrics });
  };
  const weightsAt = (version: number): Float32Array => {
    while (versions.length <= version) advance();
    return versions[version]!;
  };
  return {
    weightsAt,
    evaluation: sumOf,
    step(version) {
      weightsAt(version);
      return steps[version - 1]!;
    },
  };
}

function stepRound(plan: EnginePlan, version: number): Round {
  const { stepsPerEpoch, shards } = plan;
  const epoch = Math.floor(version / stepsPerEpoch);
  return { index: 0, task: 'step', version, epoch, step: version % stepsPerEpoch, leafCount: shards };
}

interface Computed {
  readonly plan: EnginePlan;
  readonly work: Work;
  readonly round: Round;
  readonly samples: readonly number[];
  readonly weights: Float32Array;
}

/** The sum over the samples below a node, after the plan's codec; nothing if there are none. */
export function nodeSum(computed: Computed, node: TreeNode): Sums | undefined {
  const sums = plainSum(computed, node);
  const { coding } = computed.plan;
  const { task, leafCount } = computed.round;
  if (!sums || !coding || task !== 'step' || !isGroupNode(node, leafCount, coding.groupSize)) return sums;
  return { ...sums, gradient: coding.code(sums.gradient) };
}

function plainSum(computed: Computed, { lo, hi }: TreeNode): Sums | undefined {
  if (hi - lo === 1) {
    const samples = computed.samples[lo] ?? 0;
    return samples === 0 ? undefined : computed.work(computed.weights, computed.round, { leaf: lo, samples });
  }
  const mid = treeMid(lo, hi);
  const left = nodeSum(computed, { lo, hi: mid });
  const right = nodeSum(computed, { lo: mid, hi });
  return left && right ? addSums(left, right) : (left ?? right);
}
