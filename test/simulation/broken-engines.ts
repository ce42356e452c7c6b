import {
  createEngine,
  type Engine,
  type EngineEffect,
  type EngineEvent,
  type EnginePlan,
  type PartialSum,
  type RunState,
  type WorkerId,
} from '@gradwire/engine';
import type { EngineMaker } from '@gradwire/simulator';

/*
 * Engines that are wrong on purpose, each in one way: the real engine with something around it that changes what it
 * hears, says or is given. A simulator that lets one of them pass would be no proof.
 */

type PartialEvent = Extract<EngineEvent, { type: 'partial-arrived' }>;
type EffectOf<Type extends EngineEffect['type']> = Extract<EngineEffect, { type: Type }>;

/** What a broken engine does instead; `real` hands on to the engine itself. */
type Fault = (engine: Engine, plan: EnginePlan) => Partial<Engine>;

function around(fault: Fault): EngineMaker {
  return (plan, options) => {
    const engine = createEngine(plan, options);
    return { ...engine, ...fault(engine, plan) };
  };
}

/** Changes the effects of every event. */
function saying(
  change: () => (effects: EngineEffect[], engine: Engine, event?: EngineEvent) => EngineEffect[],
): EngineMaker {
  return around((engine) => {
    const changed = change();
    return {
      start: (atMs) => changed(engine.start(atMs), engine),
      handle: (event) => changed(engine.handle(event), engine, event),
    };
  });
}

/** Changes effects of one type, one by one; an undefined one is left out. */
function sayingOf<Type extends EngineEffect['type']>(
  type: Type,
  change: (effect: EffectOf<Type>, count: number) => EngineEffect | undefined,
): EngineMaker {
  return saying(() => {
    let count = 0;
    return (effects) =>
      effects.flatMap((effect) =>
        effect.type === type ? (change(effect as EffectOf<Type>, ++count) ?? []) : [effect],
      );
  });
}

/** Changes events before the engine hears them; an undefined one is kept from it. */
function hearing(change: () => (event: EngineEvent, engine: Engine) => EngineEvent | undefined): EngineMaker {
  return around((engine) => {
    const changed = change();
    return {
      handle(event) {
        const heard = changed(event, engine);
        return heard ? engine.handle(heard) : [];
      },
    };
  });
}

/** Every n-th event of one type is kept from the engine. */
function deafTo(type: EngineEvent['type'], every: number): EngineMaker {
  return hearing(() => {
    let count = 0;
    return (event) => (event.type === type && ++count % every === 0 ? undefined : event);
  });
}

/** Changes the sums before they are used. */
function using(
  change: () => (partial: PartialSum, worker: WorkerId, engine: Engine) => PartialSum,
): EngineMaker {
  return hearing(() => {
    const changed = change();
    return (event, engine) => {
      if (event.type !== 'partial-arrived') return event;
      return { ...event, partial: changed(event.partial, event.worker, engine) } satisfies PartialEvent;
    };
  });
}

/** Goes on from a changed state. */
function from(change: (state: RunState) => RunState): EngineMaker {
  return (plan, { from: state, ...options }) =>
    createEngine(plan, { ...options, ...(state ? { from: change(state) } : {}) });
}

function planned(change: (plan: EnginePlan) => EnginePlan): EngineMaker {
  return (plan, options) => createEngine(change(plan), options);
}

function add(target: Float32Array, other: Float32Array): Float32Array {
  for (let i = 0; i < target.length; i++) target[i]! += other[i] ?? 0;
  return target;
}

const samplesBelow = (plan: EnginePlan, step: number): number =>
  plan.stepSamples(step).filter((count) => count > 0).length;

/** By what is wrong with them. */
export const brokenEngines: Readonly<Record<string, EngineMaker>> = {
  'adds in the order of arrival': around((engine, plan) => {
    let round = -1;
    let sum = new Float32Array(0);
    let leaves = 0;
    return {
      handle(event) {
        const { round: active } = engine.status();
        if (event.type !== 'partial-arrived' || active?.task !== 'step' || plan.maxStaleness !== undefined) {
          return engine.handle(event);
        }
        const { partial } = event;
        if (round !== active.index) {
          round = active.index;
          sum = new Float32Array(plan.layout.size);
          leaves = 0;
        }
        const before = engine.status().outstanding.length;
        const gradient = partial.gradient.slice();
        leaves += plan
          .stepSamples(active.step)
          .slice(partial.lo, partial.hi)
          .filter((n) => n > 0).length;
        const isLast = leaves >= samplesBelow(plan, active.step);
        const used = isLast ? add(sum.slice(), gradient) : new Float32Array(gradient.length);
        const effects = engine.handle({ ...event, partial: { ...partial, gradient: used } });
        if (engine.status().outstanding.length !== before || isLast) add(sum, gradient);
        return effects;
      },
    };
  }),
  'counts a duplicate': using(() => {
    const seen = new Set<string>();
    let extra: Float32Array | undefined;
    return (partial, worker) => {
      const key = `${worker} ${partial.round} ${partial.lo} ${partial.hi}`;
      if (seen.has(key)) extra = partial.gradient.slice();
      else if (extra?.length === partial.gradient.length) add(partial.gradient, extra);
      seen.add(key);
      return partial;
    };
  }),
  'takes late answers for the current round': using(() => (partial, _, engine) => {
    const round = engine.status().round?.index ?? 0;
    return partial.round < round ? { ...partial, round } : partial;
  }),
  'does not hear of workers that leave': deafTo('worker-left', 1),
  'misses every third worker that leaves': deafTo('worker-left', 3),
  'loses every fifth answer': deafTo('partial-arrived', 5),
  'does not hear of failures': deafTo('worker-failed', 1),
  'forgets a worker that is prepared': deafTo('worker-prepared', 2),
  'loses every fourth lease': sayingOf('lease', (lease, count) => (count % 4 === 0 ? undefined : lease)),
  'leaves the first leaf out of a lease': sayingOf('lease', (lease) => ({
    ...lease,
    leaves: lease.leaves.slice(1),
  })),
  'leases to two workers and tells both that it is theirs': saying(
    () => (effects, engine) =>
      effects.flatMap((effect): EngineEffect[] => {
        if (effect.type !== 'lease') return [effect];
        const other = engine.status().spares[0];
        return other && engine.status().round?.version === 0
          ? [
              effect,
              { type: 'publish', version: 0, weights: engine.weights(), workers: [other] },
              { ...effect, worker: other },
            ]
          : [effect];
      }),
  ),
  'leases to a worker that is not ready': saying(
    () => (effects, engine) =>
      effects.map((effect) => {
        const other = engine.status().workers.find(({ stage }) => stage !== 'ready')?.worker;
        return effect.type === 'lease' && other ? { ...effect, worker: other } : effect;
      }),
  ),
  'publishes the weights of before': saying(() => {
    let before: Float32Array | undefined;
    return (effects) =>
      effects.map((effect) => {
        if (effect.type !== 'publish') return effect;
        const weights = before ?? effect.weights;
        before = effect.weights;
        return { ...effect, weights };
      });
  }),
  'writes new weights into the vector that it has published': saying(() => {
    let shared: Float32Array | undefined;
    return (effects, engine) => {
      if (shared && effects.some(({ type }) => type === 'commit'))
        shared.set(engine.weights().map((w) => w + 1));
      for (const effect of effects) if (effect.type === 'publish') shared = effect.weights;
      return effects;
    };
  }),
  'does not publish to whoever comes later': sayingOf('publish', (effect, count) =>
    count > 2 ? undefined : effect,
  ),
  'commits a step twice': saying(
    () => (effects) =>
      effects.flatMap((effect): EngineEffect[] =>
        effect.type === 'commit' && effect.record.step === 2 ? [effect, effect] : [effect],
      ),
  ),
  'does not report evaluations': sayingOf('evaluated', () => undefined),
  'reports an epoch twice': saying(
    () => (effects) =>
      effects.flatMap((effect): EngineEffect[] =>
        effect.type === 'epoch-done' ? [effect, effect] : [effect],
      ),
  ),
  'counts a sample too many': sayingOf('commit', ({ record }) => ({
    type: 'commit',
    record: { ...record, samples: record.samples + 1 },
  })),
  'forgets whose sum it used': sayingOf('commit', ({ record }) => ({
    type: 'commit',
    record: { ...record, contributions: record.contributions.slice(1) },
  })),
  'names a contribution twice': sayingOf('commit', ({ record }) => ({
    type: 'commit',
    record: { ...record, contributions: [...record.contributions, ...record.contributions.slice(0, 1)] },
  })),
  'puts out workers that are late': saying(() => (effects, engine, event) => {
    const isLate =
      event?.type === 'partial-arrived' && event.partial.round < (engine.status().round?.index ?? 0);
    if (effects.length > 0 || !isLate) return effects;
    return [{ type: 'expel', worker: event.worker, code: 'MESSAGE_INVALID', message: 'late' }];
  }),
  'ends before the last evaluation': saying(
    () => (effects) =>
      effects.some(({ type }) => type === 'epoch-done')
        ? [...effects, { type: 'end', outcome: 'finished' }]
        : effects,
  ),
  'never ends': sayingOf('end', () => undefined),
  'fails at the first loss of a worker': saying(
    () => (effects, _, event) =>
      event?.type === 'worker-left' ? [...effects, { type: 'end', outcome: 'failed' }] : effects,
  ),
  'applies the codec twice': planned(({ coding, ...plan }) => {
    if (!coding) return plan;
    return { ...plan, coding: { ...coding, code: (gradient) => coding.code(coding.code(gradient)) } };
  }),
  'forgets the L2 penalty': planned((plan) => ({ ...plan, l2: 0 })),
  'averages by the shards': planned((plan) => ({
    ...plan,
    schedule: { type: 'constant', learningRate: 0.1 },
  })),
  'goes on without what the optimizer remembers': from((state) => ({
    ...state,
    optimizer: Object.fromEntries(
      Object.entries(state.optimizer).map(([name, vector]) => [name, new Float32Array(vector.length)]),
    ),
  })),
  'goes on without the sums of the epoch': from((state) => ({
    ...state,
    epochTotals: { samples: 0, loss: 0, correct: 0 },
  })),
  'goes on one step too far': from((state) => {
    const { lastRound } = state;
    return lastRound ? { ...state, lastRound: { ...lastRound, version: lastRound.version + 1 } } : state;
  }),
  'believes the first answer': using(() => {
    const first = new Map<string, PartialSum>();
    return (partial) => {
      const key = `${partial.round} ${partial.lo} ${partial.hi}`;
      const { gradient, metrics } = first.get(key) ?? partial;
      if (!first.has(key)) first.set(key, { ...partial, gradient: gradient.slice() });
      return { ...partial, gradient: gradient.slice(), metrics };
    };
  }),
  'lets liars stay': saying(
    () => (effects) => effects.filter((effect) => effect.type !== 'expel' || effect.code !== 'WRONG_NUMBERS'),
  ),
  'puts out who was right': saying(
    () => (effects) =>
      effects.map((effect) => {
        const settled = effects.find((each): each is EffectOf<'incident'> => each.type === 'incident');
        const wrong = settled?.incident.wrong.map(({ worker }) => worker) ?? [];
        const right = settled?.incident.answers.find(({ worker }) => !wrong.includes(worker));
        return effect.type === 'expel' && right && wrong.includes(effect.worker)
          ? { ...effect, worker: right.worker }
          : effect;
      }),
  ),
  'uses in the same round what whoever it has put out said': saying(() => {
    let wrong: { readonly round: number; readonly worker: WorkerId } | undefined;
    return (effects) =>
      effects.map((effect) => {
        if (effect.type === 'lease' && effect.round.index !== wrong?.round) wrong = undefined;
        if (effect.type === 'incident') {
          const { round, wrong: those } = effect.incident;
          if (those[0]) wrong = { round: round.index, worker: those[0].worker };
        }
        if (effect.type !== 'commit' || !wrong) return effect;
        const { worker } = wrong;
        const contributions = effect.record.contributions.map((part) =>
          part.agreed ? part : { ...part, worker },
        );
        return { ...effect, record: { ...effect.record, contributions } };
      });
  }),
  'forgets, when it starts again, who has contributed what': (plan, options) =>
    createEngine(plan, { ...options, contributed: [] }),
  'forgets to go back': around((engine) => {
    const change = (effects: EngineEffect[], atMs: number): EngineEffect[] =>
      effects.flatMap((effect) => {
        if (effect.type !== 'roll-back') return [effect];
        const state = engine.snapshot();
        return state ? engine.restore(state, atMs) : [effect];
      });
    return { handle: (event) => change(engine.handle(event), event.atMs) };
  }),
  'goes back half the way': sayingOf('roll-back', (effect) => ({ ...effect, step: effect.step + 1 })),
  'does not list what nobody verified': sayingOf('incident', (effect) => ({
    ...effect,
    incident: {
      ...effect.incident,
      wrong: effect.incident.wrong.map((each) => ({ ...each, unverified: [] })),
    },
  })),
  'lists all but the first': sayingOf('incident', (effect) => ({
    ...effect,
    incident: {
      ...effect.incident,
      wrong: effect.incident.wrong.map((each) => ({ ...each, unverified: each.unverified.slice(1) })),
    },
  })),
  'lets the auditor decide': saying(() => {
    return (effects, engine) => {
      const dispute = effects.find((each): each is EffectOf<'incident'> => each.type === 'incident');
      const first = dispute?.incident.what === 'answers-differ' ? dispute.incident.answers[0] : undefined;
      if (!first || !engine.status().workers.some(({ worker }) => worker === first.worker)) return effects;
      return [
        ...effects,
        { type: 'expel', worker: first.worker, code: 'WRONG_NUMBERS', message: 'the auditor says so' },
      ];
    };
  }),
  'is a thousand times too patient': around((engine) => ({
    start: (atMs) => engine.start(atMs / 1000),
    restore: (state, atMs) => engine.restore(state, atMs / 1000),
    handle: (event) => engine.handle({ ...event, atMs: event.atMs / 1000 }),
    nextDeadlineMs() {
      const dueMs = engine.nextDeadlineMs();
      return dueMs && 1000 * dueMs;
    },
  })),
  'takes workers for late because it slept': around((engine) => ({
    handle(event) {
      const dueMs = engine.nextDeadlineMs() ?? Infinity;
      const late = event.atMs > dueMs ? engine.handle({ type: 'time-passed', atMs: dueMs }) : [];
      return [...late, ...engine.handle(event)];
    },
  })),
  'does not hear that a worker is drained': deafTo('operator-asked', 1),
  'lets a drained worker go in the middle of its work': around((engine) => ({
    handle(event) {
      if (event.type !== 'operator-asked' || event.request !== 'drain') return engine.handle(event);
      const { worker, atMs } = event;
      return [{ type: 'release', worker }, ...engine.handle({ type: 'worker-left', worker, atMs })];
    },
  })),
  'never lets a drained worker go': sayingOf('release', () => undefined),
  'believes the first answer to an evaluation': using(() => {
    const first = new Map<string, Float64Array>();
    return (partial, _, engine) => {
      if (engine.status().round?.task !== 'evaluate') return partial;
      const key = `${partial.round} ${partial.lo} ${partial.hi}`;
      if (!first.has(key) && partial.metrics.length > 0 && partial.metrics.every((value) => value >= 0))
        first.set(key, partial.metrics);
      return { ...partial, metrics: first.get(key) ?? partial.metrics };
    };
  }),
  // The first line of a step is its own, others are of evaluations after it.
  'forgets, when it starts again, who has evaluated': (plan, { contributed = [], ...options }) =>
    createEngine(plan, {
      ...options,
      contributed: contributed.filter(({ step }, i) => contributed[i - 1]?.step !== step),
    }),
  'knows nothing of error feedback': planned(({ coding, ...plan }) => {
    if (!coding) return plan;
    const { feedbackSteps: _, ...forgetful } = coding;
    return { ...plan, coding: forgetful };
  }),
  'ends the periods of error feedback late': planned(({ coding, ...plan }) => {
    if (coding?.feedbackSteps === undefined) return coding ? { ...plan, coding } : plan;
    return { ...plan, coding: { ...coding, feedbackSteps: coding.feedbackSteps + 1 } };
  }),
  'decides by chance': saying(() => (effects) => (Math.random() < 0.5 ? effects : effects.toReversed())),
};
