import {
  type Contribution,
  type EngineEffect,
  type EngineEvent,
  type Incident,
  type PartialSum,
  type RunState,
  stepsIn,
  type TreeNode,
  type WorkerId,
} from '@gradwire/engine';
import { must } from './broken-promise.ts';
import { createConvicted } from './convicted.ts';

type EffectOf<Type extends EngineEffect['type']> = Extract<EngineEffect, { type: Type }>;

/** Knows which sums are lies, and sees what becomes of them. */
export interface Truth {
  /** A process begins, at a state: what was used before it, and who agreed, is known from the journal. */
  begin(state: RunState | undefined): void;
  /** The run goes back. */
  restored(state: RunState): void;
  heard(event: EngineEvent): void;
  /** All effects of one event, who is there afterwards, and who could have computed something before. */
  saw(effects: readonly EngineEffect[], around: Around): void;
  /** Whether a step so far was made with a lie that nobody could compare. */
  isPolluted(): boolean;
  /** The same of the evaluation that was reported last. */
  isLastEvaluationPolluted(): boolean;
}

interface Around {
  readonly isThere: (worker: WorkerId) => boolean;
  readonly free: readonly WorkerId[];
}

/** A contribution that was used, as far as trust goes. */
interface Used {
  /** Index of its round. */
  readonly round: number;
  readonly worker: WorkerId;
  readonly step: number;
  readonly lo: number;
  readonly hi: number;
  /** Somebody else has given the same. */
  readonly isAgreed: boolean;
}

/** Who answered for which node of the round that is open, and whether it is a lie. */
interface RoundAnswers {
  forget(): void;
  add(worker: WorkerId, { lo, hi }: TreeNode, lied: boolean): void;
  isAsked(worker: WorkerId, node: TreeNode): boolean;
  /** It is asked for these leaves. */
  ask(worker: WorkerId, leaves: readonly number[]): void;
  /** Its connection has ended: what it said may be forgotten, as it cannot be asked again. */
  leave(worker: WorkerId): void;
  has(worker: WorkerId, node: TreeNode): 'lie' | 'truth' | undefined;
  /** Whether somebody else has said the same. */
  agree(worker: WorkerId, node: TreeNode): boolean;
  /** Whether somebody who is there has told the truth. */
  knowsTruth(node: TreeNode): boolean;
  /** Of those who have not left meanwhile: who comes back is asked anew. */
  lies(): readonly RoundAnswer[];
}

interface RoundAnswer {
  readonly worker: WorkerId;
  readonly node: TreeNode;
  readonly lied: boolean;
  /** Its worker has left since, or was not asked since it came: then it may be dropped, and is asked anew. */
  hasLeft: boolean;
}

function createRoundAnswers(): RoundAnswers {
  let answers: RoundAnswer[] = [];
  const asked = new Map<WorkerId, Set<number>>();
  const isAsked = (worker: WorkerId, { lo, hi }: TreeNode): boolean =>
    [...(asked.get(worker) ?? [])].some((leaf) => leaf >= lo && leaf < hi);
  const at = ({ lo, hi }: TreeNode): RoundAnswer[] =>
    answers.filter(({ node }) => node.lo === lo && node.hi === hi);
  const find = (worker: WorkerId, node: TreeNode): RoundAnswer | undefined =>
    at(node).find((each) => each.worker === worker);
  return {
    isAsked,
    forget() {
      answers = [];
      asked.clear();
    },
    add(worker, node, lied) {
      // The first word of a worker counts.
      const before = find(worker, node);
      if (before && !before.hasLeft) return;
      answers = [
        ...answers.filter((each) => each !== before),
        { worker, node, lied, hasLeft: !isAsked(worker, node) },
      ];
    },
    ask(worker, leaves) {
      const all = asked.get(worker) ?? new Set();
      asked.set(worker, all);
      for (const leaf of leaves) all.add(leaf);
    },
    leave(worker) {
      asked.delete(worker);
      for (const answer of answers) if (answer.worker === worker) answer.hasLeft = true;
    },
    has(worker, node) {
      const found = find(worker, node);
      return found && (found.lied ? 'lie' : 'truth');
    },
    agree(worker, node) {
      const own = find(worker, node)?.lied;
      return at(node).some((each) => each.worker !== worker && each.lied === own);
    },
    knowsTruth: (node) => at(node).some(({ lied, hasLeft }) => !lied && !hasLeft),
    lies: () => answers.filter(({ lied, hasLeft }) => lied && !hasLeft),
  };
}

/** @param isLie Whether a sum is not right. */
export function createTruth(isLie: (partial: PartialSum) => boolean): Truth {
  const answers = createRoundAnswers();
  const convicted = createConvicted();
  let lyingSteps: number[] = [];
  let isEvaluationPolluted = false;
  let used: Used[] = [];
  let limit: number | undefined;
  let round = -1;

  /** Returns whether there is a lie in it. */
  const close = (step: number, parts: readonly Contribution[]): boolean => {
    const fresh = parts.map(({ worker, lo, hi }): Used => {
      return { round, worker, step, lo, hi, isAgreed: answers.agree(worker, { lo, hi }) };
    });
    // As the engine does: who agreed vouches for what was before the round, not for the rest of it.
    used.push(...fresh.filter(({ isAgreed }) => isAgreed), ...fresh.filter(({ isAgreed }) => !isAgreed));
    const lies = fresh.filter((part) => answers.has(part.worker, part) === 'lie');
    checkUsed(answers, lies, round);
    return lies.length > 0;
  };
  const goTo = (state: RunState | undefined): void => {
    const steps = state ? stepsIn(state) : 0;
    lyingSteps = lyingSteps.filter((step) => step <= steps);
    const last = state?.lastRound?.index ?? -1;
    // That somebody agreed stays true when an evaluation is made again.
    used = used.filter(({ step, isAgreed, round: at }) => step <= steps && (isAgreed || at <= last));
    limit = undefined;
    answers.forget();
    convicted.forget();
    round = -1;
  };
  const see = (effect: EngineEffect): void => {
    if (effect.type === 'roll-back') limit = effect.step;
    if (effect.type === 'commit') {
      const { step, contributions } = effect.record;
      if (close(step, contributions)) lyingSteps.push(step);
    }
    if (effect.type === 'evaluated') isEvaluationPolluted = close(effect.record.step, effect.contributions);
    if (effect.type !== 'lease') return;
    if (effect.round.index !== round) answers.forget();
    round = effect.round.index;
    answers.ask(effect.worker, effect.leaves);
  };

  return {
    begin: goTo,
    restored(state) {
      const most = limit ?? -1;
      must('lies undone', stepsIn(state) <= most, () => `back to ${stepsIn(state)}, not ${most}`);
      goTo(state);
    },
    heard(event) {
      convicted.heard(event);
      if (event.type === 'worker-left' || event.type === 'worker-failed') answers.leave(event.worker);
      if (event.type !== 'partial-arrived' || event.partial.round !== round) return;
      answers.add(event.worker, event.partial, isLie(event.partial));
    },
    saw(effects, { isThere, free }) {
      // What does not keep to the protocol is not compared.
      for (const effect of effects) if (effect.type === 'expel') answers.leave(effect.worker);
      for (const effect of effects) {
        convicted.saw(effect);
        if (effect.type === 'incident') checkVerdict(effect.incident, { effects, used });
        if (effect.type === 'commit' || effect.type === 'evaluated') checkLiars(answers, isThere);
        if (effect.type === 'evaluated' && effects.some(({ type }) => type === 'end'))
          checkLast(answers, effect.contributions, free);
        see(effect);
      }
      for (const effect of effects) if (effect.type === 'release') answers.leave(effect.worker);
    },
    isPolluted: () => lyingSteps.length > 0,
    isLastEvaluationPolluted: () => isEvaluationPolluted,
  };
}

/** Lies that are used although somebody has told the truth. */
function checkUsed(answers: RoundAnswers, lies: readonly Used[], round: number): void {
  for (const { worker, lo, hi } of lies) {
    must('lies found', !answers.knowsTruth({ lo, hi }), () => {
      return `round ${round} uses what ${worker} said of [${lo}, ${hi})`;
    });
  }
}

function checkLiars(answers: RoundAnswers, isThere: (worker: WorkerId) => boolean): void {
  for (const { worker, node } of answers.lies()) {
    must('lies found', !isThere(worker) || !answers.knowsTruth(node), () => {
      return `${worker}, who lied about [${node.lo}, ${node.hi}), is still there`;
    });
  }
}

/** What nobody will verify later. */
function checkLast(answers: RoundAnswers, parts: readonly Contribution[], free: readonly WorkerId[]): void {
  for (const part of parts) {
    if (answers.has(part.worker, part) !== 'lie') continue;
    const other = free.find((worker) => worker !== part.worker && !answers.isAsked(worker, part));
    must('lies found', other === undefined, () => {
      return `the last evaluation uses what ${part.worker} said of [${part.lo}, ${part.hi}), and ${other} was not asked`;
    });
  }
}

/** Whoever is put out has all listed and undone that nobody has verified since somebody last agreed with it. */
function checkVerdict(
  { wrong }: Incident,
  { effects, used }: { readonly effects: readonly EngineEffect[]; readonly used: readonly Used[] },
): void {
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
  const first = Math.min(...due);
  must('lies undone', back !== undefined && back.step < first, () => {
    return `back to ${back?.step}, but step ${first} has a part of ${wrong.map(({ worker }) => worker).join()}`;
  });
}
