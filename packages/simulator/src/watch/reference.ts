import {
  addSums,
  averageGradient,
  createOptimizer,
  feedbackOf,
  type FeedbackPlace,
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
  const { layout, l2, clipNorm, totalSteps, stepsPerEpoch } = plan;
  const optimizer = createOptimizer(plan.optimizer, layout);
  const versions = [plan.initialWeights.slice()];
  const steps: Pick<Sums, 'samples' | 'metrics'>[] = [];
  const rests = new Map<number, Float32Array>();

  const sumOf = (round: Round): Sums => {
    const samples = round.split ? plan.evaluations.blocks[round.split] : plan.stepSamples(round.step);
    const sums = nodeSum(
      { plan, work, round, samples, weights: weightsAt(round.version), rests },
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
    averageGradient(gradient, weights, { samples, layout, l2, clipNorm });
    const learningRate = learningRateAt(plan.schedule, { step: version, totalSteps, stepsPerEpoch });
    optimizer.step({ weights, gradient }, learningRate);
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
  /** Without the plan's codec. Default: with it. */
  readonly isPlain?: boolean;
  readonly work: Work;
  readonly round: Round;
  readonly samples: readonly number[];
  readonly weights: Float32Array;
  /** Error feedback: what the step before has left out of each group, by its first leaf. */
  readonly rests?: Map<number, Float32Array>;
}

/** Error feedback: what is sent of the sum over a group, given what was left out before; what is left out now is put in its place. */
export function codeKeeping(
  gradient: Float32Array,
  lo: number,
  { plan, place, rests }: Pick<Required<Computed>, 'plan' | 'rests'> & { readonly place: FeedbackPlace },
): Float32Array {
  const rest = rests.get(lo);
  rests.delete(lo);
  const whole = rest ? gradient.map((value, i) => value + rest[i]!) : gradient;
  if (place.isLast || !plan.coding) return whole;
  const sent = plan.coding.code(whole);
  rests.set(
    lo,
    whole.map((value, i) => value - sent[i]!),
  );
  return sent;
}

/** The sum over the samples below a node, after the plan's codec; nothing if there are none. */
export function nodeSum(computed: Computed, node: TreeNode): Sums | undefined {
  const sums = plainSum(computed, node);
  const coding = computed.isPlain ? undefined : computed.plan.coding;
  const { task, leafCount } = computed.round;
  if (!sums || !coding || task !== 'step' || !isGroupNode(node, leafCount, coding.groupSize)) return sums;
  const place = feedbackOf(computed.plan, computed.round);
  const gradient =
    place && computed.rests
      ? codeKeeping(sums.gradient, node.lo, { ...computed, place, rests: computed.rests })
      : coding.code(sums.gradient);
  return { ...sums, gradient };
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
