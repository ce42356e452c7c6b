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

type EffectOf<Type extends EngineEffect['type']> = Extract<EngineEffect, { type: Type }>;

/** Knows which sums are lies, and sees what becomes of them. */
export interface Truth {
  /** A process begins, at a state: what was used before it, and who agreed, is known from the journal. */
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

/** Who answered for which node of the round that is open, and whether it is a lie. */
interface RoundAnswers {
  forget(): void;
  add(worker: WorkerId, { lo, hi }: TreeNode, lied: boolean): void;
  /** Its connection has ended: what it said may be forgotten, as it cannot be asked again. */
  leave(worker: WorkerId): void;
  has(worker: WorkerId, node: TreeNode): 'lie' | 'truth' | undefined;
  /** Whether somebody else has said the same. */
  agree(worker: WorkerId, node: TreeNode): boolean;
  /** Whether somebody who is there has told the truth. */
  knowsTruth(node: TreeNode): boolean;
  all(): readonly RoundAnswer[];
  /** Of those who have not left meanwhile: who comes back is asked anew. */
  lies(): readonly RoundAnswer[];
}

interface RoundAnswer {
  readonly worker: WorkerId;
  readonly node: TreeNode;
  readonly lied: boolean;
  /** Its worker has left since: one that comes back under its name is asked anew. */
  hasLeft: boolean;
}

function createRoundAnswers(): RoundAnswers {
  let answers: RoundAnswer[] = [];
  const at = ({ lo, hi }: TreeNode): RoundAnswer[] =>
    answers.filter(({ node }) => node.lo === lo && node.hi === hi);
  const find = (worker: WorkerId, node: TreeNode): RoundAnswer | undefined =>
    at(node).find((each) => each.worker === worker);
  return {
    forget() {
      answers = [];
    },
    add(worker, node, lied) {
      // The first word of a worker counts.
      const before = find(worker, node);
      if (before && !before.hasLeft) return;
      answers = [...answers.filter((each) => each !== before), { worker, node, lied, hasLeft: false }];
    },
    leave(worker) {
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
    all: () => answers,
    lies: () => answers.filter(({ lied, hasLeft }) => lied && !hasLeft),
  };
}

/** @param isLie Whether a sum is not right. */
export function createTruth(isLie: (partial: PartialSum) => boolean): Truth {
  const answers = createRoundAnswers();
  let lyingSteps: number[] = [];
  let used: Used[] = [];
  let limit: number | undefined;
  let round = -1;

  const closeStep = (step: number, parts: readonly Contribution[]): void => {
    const fresh = parts.map(({ worker, lo, hi }): Used => {
      return { worker, step, lo, hi, isAgreed: answers.agree(worker, { lo, hi }) };
    });
    // As the engine does: who agreed vouches for what was before the round, not for the rest of it.
    used.push(...fresh.filter(({ isAgreed }) => isAgreed), ...fresh.filter(({ isAgreed }) => !isAgreed));
    for (const part of fresh) {
      if (answers.has(part.worker, part) !== 'lie') continue;
      lyingSteps.push(step);
      must('lies found', !answers.knowsTruth(part), () => {
        return `step ${step} uses what ${part.worker} said of [${part.lo}, ${part.hi})`;
      });
    }
  };
  const checkLiars = (isThere: (worker: WorkerId) => boolean): void => {
    for (const { worker, node } of answers.lies()) {
      must('lies found', !isThere(worker) || !answers.knowsTruth(node), () => {
        return `${worker}, who lied about [${node.lo}, ${node.hi}), is still there`;
      });
    }
  };
  const goTo = (state: RunState | undefined): void => {
    const steps = state ? stepsIn(state) : 0;
    lyingSteps = lyingSteps.filter((step) => step <= steps);
    used = used.filter(({ step }) => step <= steps);
    limit = undefined;
    answers.forget();
    round = -1;
  };
  const see = (effect: EngineEffect): void => {
    if (effect.type === 'roll-back') limit = effect.step;
    if (effect.type === 'commit') closeStep(effect.record.step, effect.record.contributions);
    if (effect.type === 'evaluated') used.push(...agreedOn(answers, effect.record.step));
    if (effect.type !== 'lease' || effect.round.index === round) return;
    round = effect.round.index;
    answers.forget();
  };

  return {
    begin: goTo,
    restored(state) {
      const most = limit ?? -1;
      must('lies undone', stepsIn(state) <= most, () => `back to ${stepsIn(state)}, not ${most}`);
      goTo(state);
    },
    heard(event) {
      if (event.type === 'worker-left' || event.type === 'worker-failed') answers.leave(event.worker);
      if (event.type !== 'partial-arrived' || event.partial.round !== round) return;
      answers.add(event.worker, event.partial, isLie(event.partial));
    },
    saw(effects, isThere) {
      // What does not keep to the protocol is not compared.
      for (const effect of effects) if (effect.type === 'expel') answers.leave(effect.worker);
      for (const effect of effects) {
        if (effect.type === 'incident') checkVerdict(effect.incident, { effects, used });
        if (effect.type === 'commit' || effect.type === 'evaluated') checkLiars(isThere);
        see(effect);
      }
    },
    isPolluted: () => lyingSteps.length > 0,
  };
}

/** Whose sums of an evaluation somebody else has found too. */
function agreedOn(answers: RoundAnswers, step: number): Used[] {
  const agreed = answers.all().filter(({ worker, node }) => answers.agree(worker, node));
  return agreed.map(({ worker, node }) => ({ worker, step, ...node, isAgreed: true }));
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
