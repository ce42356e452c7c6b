import type {
  Contribution,
  EngineEffect,
  EngineEvent,
  Incident,
  PartialSum,
  RunState,
  WorkerId,
} from '@gradwire/engine';
import { stepsIn } from '../disk/persistence.ts';
import { must } from './broken-promise.ts';

type EffectOf<Type extends EngineEffect['type']> = Extract<EngineEffect, { type: Type }>;

/** Knows which sums are lies, and sees what becomes of them. */
export interface Truth {
  /** A process begins, at a state: it knows nothing of who was verified before. */
  begin(state: RunState | undefined): void;
  /** The run goes back. */
  restored(state: RunState): void;
  heard(event: EngineEvent): void;
  /** All effects of one event, and who is there afterwards. */
  saw(effects: readonly EngineEffect[], isThere: (worker: WorkerId) => boolean): void;
  /** Whether a step so far was made with a lie that nobody could compare. */
  isPolluted(): boolean;
}

/** A contribution that was used, as far as trust goes. */
interface Used {
  readonly worker: WorkerId;
  readonly step: number;
  readonly lo: number;
  readonly hi: number;
  /** Somebody else has given the same. */
  readonly isAgreed: boolean;
}

export function createTruth(isLie: (partial: PartialSum) => boolean): Truth {
  let lyingSteps: number[] = [];
  let used: Used[] = [];
  let limit: number | undefined;
  let round = -1;
  /** Of the round: who answered for which node, and whether it is a lie. */
  let answers = new Map<string, Map<WorkerId, boolean>>();
  /** Whose connection has ended in this round: what they said may be forgotten, as they cannot be asked again. */
  let departed = new Set<WorkerId>();

  const forgetRound = (): void => {
    answers = new Map();
    departed = new Set();
  };
  const agreesWith = (key: string, worker: WorkerId): boolean => {
    const given = answers.get(key);
    const own = given?.get(worker);
    return [...(given ?? [])].some(([other, lied]) => other !== worker && lied === own);
  };
  const isContradicted = (given: ReadonlyMap<WorkerId, boolean>): boolean =>
    [...given].some(([worker, lied]) => !lied && !departed.has(worker));
  const closeStep = (step: number, parts: readonly Contribution[]): void => {
    const fresh = parts.map(({ worker, lo, hi }): Used => {
      return { worker, step, lo, hi, isAgreed: agreesWith(`${lo}-${hi}`, worker) };
    });
    // As the engine does: who agreed vouches for what was before the round, not for the rest of it.
    used.push(...fresh.filter(({ isAgreed }) => isAgreed), ...fresh.filter(({ isAgreed }) => !isAgreed));
    for (const { worker, lo, hi } of parts) {
      const given = answers.get(`${lo}-${hi}`);
      if (given?.get(worker) !== true) continue;
      lyingSteps.push(step);
      must(
        'lies found',
        !isContradicted(given),
        () => `step ${step} uses what ${worker} said of [${lo}, ${hi})`,
      );
    }
  };
  const checkLiars = (isThere: (worker: WorkerId) => boolean): void => {
    for (const [node, given] of answers) {
      if (!isContradicted(given)) continue;
      for (const [worker, lied] of given) {
        must(
          'lies found',
          !lied || !isThere(worker),
          () => `${worker}, who lied about ${node}, is still there`,
        );
      }
    }
  };
  const closeEvaluation = (step: number): void => {
    for (const [key, given] of answers) {
      for (const worker of given.keys()) {
        if (agreesWith(key, worker)) used.push({ worker, step, lo: 0, hi: 0, isAgreed: true });
      }
    }
  };
  const convict = ({ wrong }: Incident, effects: readonly EngineEffect[]): void => {
    const due = wrong.flatMap(({ worker, unverified }) => {
      const own = used.filter((each) => each.worker === worker);
      const since = own.slice(own.findLastIndex(({ isAgreed }) => isAgreed) + 1);
      for (const { step, lo, hi } of since) {
        const isListed = unverified.some((each) => each.step === step && each.lo === lo && each.hi === hi);
        must('lies undone', isListed, () => `[${lo}, ${hi}) of step ${step} by ${worker} is not listed`);
      }
      return since.map(({ step }) => step);
    });
    if (due.length === 0) return;
    const back = effects.find((effect): effect is EffectOf<'roll-back'> => effect.type === 'roll-back');
    must('lies undone', back !== undefined && back.step < Math.min(...due), () => {
      return `back to ${back?.step}, but step ${Math.min(...due)} has a part of ${wrong.map(({ worker }) => worker).join()}`;
    });
  };
  const goTo = (state: RunState | undefined): void => {
    const steps = state ? stepsIn(state) : 0;
    lyingSteps = lyingSteps.filter((step) => step <= steps);
    used = used.filter(({ step }) => step <= steps);
    forgetRound();
    round = -1;
  };

  return {
    begin(state) {
      goTo(state);
      used = [];
      limit = undefined;
    },
    restored(state) {
      const most = limit;
      must('lies undone', most !== undefined && stepsIn(state) <= most, () => `back to ${stepsIn(state)}`);
      limit = undefined;
      goTo(state);
    },
    heard(event) {
      if (event.type === 'worker-left' || event.type === 'worker-failed') departed.add(event.worker);
      if (event.type !== 'partial-arrived' || event.partial.round !== round) return;
      const { lo, hi } = event.partial;
      const given = answers.get(`${lo}-${hi}`) ?? new Map<WorkerId, boolean>();
      // The first word of a worker counts.
      if (!given.has(event.worker)) given.set(event.worker, isLie(event.partial));
      answers.set(`${lo}-${hi}`, given);
    },
    saw(effects, isThere) {
      for (const effect of effects) {
        if (effect.type === 'incident') convict(effect.incident, effects);
        if (effect.type === 'roll-back') limit = effect.step;
        if (effect.type === 'commit') closeStep(effect.record.step, effect.record.contributions);
        if (effect.type === 'evaluated') closeEvaluation(effect.record.step);
        if (effect.type === 'commit' || effect.type === 'evaluated') checkLiars(isThere);
        if (effect.type === 'lease' && effect.round.index !== round) {
          round = effect.round.index;
          forgetRound();
        }
      }
    },
    isPolluted: () => lyingSteps.length > 0,
  };
}
