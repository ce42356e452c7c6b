import type { Agenda } from '../base/agenda.ts';

/** Whether the coordinator's process runs: it may be stopped, or its machine may sleep. */
export interface Standstill {
  readonly isNow: boolean;
  /** It hears now what has waited. */
  readonly isCatchingUp: boolean;
  /** It runs again after so long. */
  begin(forMs: number): void;
  /** It runs again, or is no more. */
  end(): void;
  /** Does `act` at once or, in the order of asking, when the process runs again. */
  whenOver(act: () => void): void;
}

export function createStandstill(agenda: Agenda): Standstill {
  const waiting: (() => void)[] = [];
  let count = 0;
  const standstill: Standstill & { isNow: boolean; isCatchingUp: boolean } = {
    isNow: false,
    isCatchingUp: false,
    begin(forMs) {
      const own = ++count;
      standstill.isNow = true;
      agenda.after(forMs, () => {
        if (standstill.isNow && own === count) standstill.end();
      });
    },
    end() {
      standstill.isNow = false;
      standstill.isCatchingUp = true;
      for (let act = waiting.shift(); act; act = waiting.shift()) act();
      standstill.isCatchingUp = false;
    },
    whenOver(act) {
      if (standstill.isNow || waiting.length > 0) waiting.push(act);
      else act();
    },
  };
  return standstill;
}
