import type { EnginePlan } from '@gradwire/engine';
import type { Draws } from '../base/draws.ts';
import { type FaultKind, faultKinds, isLie, type LieKind } from '../faults/fault-kinds.ts';
import { progressBoundMs } from './bounds.ts';
import { drawPlan, withKeptRest } from './plan.ts';
import { createFakeWork, type Work } from './work.ts';

/** Everything about a simulation that is settled before it begins. */
export interface Scenario {
  readonly seed: number;
  readonly plan: EnginePlan;
  readonly work: Work;
  /** Workers at the start, and the fewest once it is calm. */
  readonly workers: number;
  /** The most at any time. */
  readonly maxWorkers: number;
  /** What a sample takes the usual worker. */
  readonly msPerSample: number;
  /** One way, without jitter. */
  readonly latencyMs: number;
  /** A connection counts as lost after so long without a word. */
  readonly silenceMs: number;
  /** After how many rounds of all a snapshot is written. */
  readonly snapshotShare: number;
  /**
   * The engine's status is looked at after each event whose number this divides, and after those that end a round; default
   * 1. In a run with a thousand workers, looking takes longer than everything else.
   */
  readonly checkEvery?: number;
  /** Numbers of disk operations in which the power fails, from 1. */
  readonly cutAt?: readonly number[];
  /** The share of the leases that a second worker computes; default: none is verified. */
  readonly verify?: number;
  /** Name of a worker that no fault strikes: the run must go on, whatever happens to the others. */
  readonly spared?: string;
  /** The kinds that strike, until it is calm. */
  readonly faults: readonly FaultKind[];
  /** The mean time between two faults. */
  readonly faultGapMs: number;
  /** From then on nothing fails any more, and the run must finish. */
  readonly calmAtMs: number;
}

/** Kinds that strike at times of their own; the others need a message or a return to strike at, or follow from them. */
const allKinds = Object.keys(faultKinds) as FaultKind[];
const timedKinds = allKinds.filter((kind) => kind !== 'reorder' && kind !== 'catch-up' && !isLie(kind));
const lieKinds = allKinds.filter(isLie);

/** Draws a scenario. Most have some kinds of faults only: what all kinds together hide, a few may show. */
export function drawScenario(draws: Draws, seed: number): Scenario {
  const share = draws.pick([0.15, 0.3, 0.6, 1]);
  const workers = 1 + draws.below(3);
  const scenario: Scenario = {
    seed,
    plan: drawPlan(draws),
    work: createFakeWork(seed),
    workers,
    maxWorkers: workers + 2,
    msPerSample: draws.between(0.5, 12),
    latencyMs: draws.between(0.2, 15),
    silenceMs: draws.pick([2_000, 10_000, 30_000]),
    snapshotShare: draws.pick([0.2, 0.5, 1]),
    faults: timedKinds.filter(() => draws.chance(share)),
    faultGapMs: draws.pick([50, 100, 300]),
    calmAtMs: draws.between(200, 2_000),
  };
  if (draws.chance(0.08)) return withLiars(scenario, draws);
  if (draws.chance(0.012)) return withFeedback(scenario, draws);
  return draws.chance(0.01) ? withSpared(scenario, draws) : scenario;
}

/**
 * Faults strike for longer than the run takes, but never the first worker, nor does the coordinator stand still; who is silent is not lost before the run must
 * have gone on.
 */
function withSpared(scenario: Scenario, draws: Draws): Scenario {
  const { plan, faults } = scenario;
  const longer = { ...scenario, plan: { ...plan, totalSteps: plan.totalSteps + 12 } };
  const boundMs = progressBoundMs(longer);
  return {
    ...longer,
    spared: 'w0',
    silenceMs: 2 * boundMs,
    faults: [...faults.filter((kind) => kind !== 'suspend'), 'pull', 'pause', 'partition'],
    faultGapMs: draws.pick([1_000, 2_000]),
    calmAtMs: 4 * boundMs,
  };
}

/** Workers keep what codes leave out, for some steps; in half of these runs they are verified. */
function withFeedback(scenario: Scenario, draws: Draws): Scenario {
  const { maxStaleness: _, ...plan } = scenario.plan;
  const feedback: Scenario = { ...scenario, plan: withKeptRest(plan, draws), workers: scenario.workers + 1 };
  return draws.chance(0.5) ? { ...feedback, verify: draws.pick([0.3, 1]) } : feedback;
}

/** Workers are verified, and one of them lies, or two do: always fewer than half. */
function withLiars(scenario: Scenario, draws: Draws): Scenario {
  const { coding: _coding, maxStaleness: _staleness, ...plan } = scenario.plan;
  const kind = draws.pick(lieKinds);
  const workers = fewestBeside(kind) + draws.below(3);
  const liars: Scenario = {
    ...scenario,
    plan: { ...plan, totalSteps: plan.totalSteps + 3 },
    workers,
    maxWorkers: workers + 2,
    verify: draws.pick([0.3, 1]),
    faults: isFragile(kind) ? [kind, 'duplicate', 'join'] : [kind, kind, ...scenario.faults],
    calmAtMs: scenario.calmAtMs + 1_000,
  };
  return !isFragile(kind) && draws.chance(0.3) ? withForgetting(liars, kind) : liars;
}

/** Nobody may go: two could become the majority, and one that is alone with its NaN ends the run. */
function isFragile(kind: LieKind): boolean {
  return kind === 'lie-pair' || kind === 'lie-nan';
}

/** The fewest workers of a run, whoever lies among them. */
export function fewestBeside(kind: LieKind): number {
  return isFragile(kind) ? 5 : 3;
}

/** Lies are rarely found, and the coordinator is struck in between: it must not forget whose sums it has used. */
function withForgetting(scenario: Scenario, kind: FaultKind): Scenario {
  return {
    ...scenario,
    plan: { ...scenario.plan, totalSteps: scenario.plan.totalSteps + 5 },
    verify: 0.1,
    snapshotShare: 1,
    faults: [kind, 'crash'],
    faultGapMs: 300,
  };
}
