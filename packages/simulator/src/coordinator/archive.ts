import type { Contribution, Engine, EngineEffect, StepContributions } from '@gradwire/engine';
import type { World } from '../base/world.ts';
import { journalName, type Persistence } from '../disk/persistence.ts';
import { type Procedure, runProcedure } from '../disk/procedure.ts';
import { DiskFull, type Interruption } from '../disk/simulated-disk.ts';
import type { SimulatedSnapshot } from '../disk/snapshot-text.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { Watch } from '../watch/watch.ts';

/** What a process writes down: a journal of everything that is done, and now and then a snapshot. */
export interface Archive {
  /** An `Interrupted` goes through to the caller. */
  note(effects: readonly EngineEffect[]): void;
  /** Gives up what is being written, and reads the newest good snapshot with at most so many steps. */
  goBack(mostSteps: number, onDone: (snapshot: SimulatedSnapshot | undefined) => void): void;
}

/** What an archive needs. */
export interface ArchiveParts {
  readonly engine: Engine;
  readonly persistence: Persistence;
  readonly watch: Watch;
  isAlive(): boolean;
  onInterrupted(how: Interruption): void;
}

export function createArchive(world: World, parts: ArchiveParts): Archive {
  const { disk, draws, scenario, tally } = world;
  const { engine, persistence, watch, isAlive, onInterrupted } = parts;
  let isWriting = false;
  /** Grows with each return: what was being written before is of no use. */
  let returns = 0;
  let journalLength = disk.peek(journalName).length;

  function* save(snapshot: SimulatedSnapshot): Procedure<void> {
    try {
      yield* persistence.write(disk, snapshot);
    } catch (thrown) {
      if (!(thrown instanceof DiskFull)) throw thrown;
      // The one before still stands, and the run goes on.
      tally['disk-full']++;
      return;
    }
    watch.acknowledged(snapshot.state);
    yield* persistence.prune(disk);
  }

  return {
    note(effects) {
      let lines = '';
      for (const effect of effects) lines += lineOf(effect, scenario);
      if (lines === '') return;
      journalLength += lines.length;
      disk.append(journalName, lines);
      if (effects.some(({ type }) => type === 'end')) return watch.journal(disk.peek(journalName));
      if (isWriting || !draws.disk.chance(scenario.snapshotShare)) return;
      const state = engine.snapshot();
      if (!state) return;
      isWriting = true;
      const own = returns;
      const onDone = (): void => void (isWriting = false);
      const host = { isAlive: () => isAlive() && own === returns, onDone, onInterrupted };
      runProcedure(world, save({ state, journalLength }), host);
    },
    goBack(mostSteps, onDone) {
      const own = ++returns;
      isWriting = false;
      runProcedure(world, persistence.recover(disk, mostSteps), {
        isAlive: () => isAlive() && own === returns,
        onInterrupted,
        onDone(snapshot) {
          journalLength = disk.peek(journalName).length;
          onDone(snapshot);
        },
      });
    },
  };
}

/** Each thing that is done, on a line of its own; where workers are verified, whose sums it used. */
function lineOf(effect: EngineEffect, { verify }: Scenario): string {
  const details = (contributions: readonly Contribution[]): string =>
    verify === undefined ? '' : `\t${JSON.stringify(contributions)}`;
  if (effect.type === 'commit') {
    const { step, contributions } = effect.record;
    return `step ${step}${details(contributions)}\n`;
  }
  if (effect.type === 'evaluated') {
    const { split, step } = effect.record;
    return `${split} ${step}${details(effect.contributions)}\n`;
  }
  return effect.type === 'end' ? 'end\n' : '';
}

/** Whose sums the steps and evaluations of a journal used, as far as it says. */
export function readContributions(journal: string): StepContributions[] {
  return journal.split('\n').flatMap((line) => {
    const [what = '', contributions] = line.split('\t');
    if (contributions === undefined) return [];
    return [
      {
        step: Number(what.slice(what.indexOf(' ') + 1)),
        contributions: JSON.parse(contributions) as Contribution[],
      },
    ];
  });
}
