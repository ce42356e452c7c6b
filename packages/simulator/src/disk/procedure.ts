import type { World } from '../base/world.ts';
import { Interrupted, type Interruption } from './simulated-disk.ts';

/** Work with the disk, one operation after the other: time passes at each `yield`, and the process or the power may end. */
export type Procedure<Result> = Generator<void, Result>;

/** What a procedure runs on. */
export interface ProcedureHost<Result> {
  /** False once the process is gone: then the rest is never done. */
  isAlive(): boolean;
  onDone(result: Result): void;
  onInterrupted(how: Interruption): void;
}

export function runProcedure<Result>(
  world: World,
  procedure: Procedure<Result>,
  host: ProcedureHost<Result>,
): void {
  const step = (): void => {
    if (!host.isAlive()) return;
    try {
      const { done, value } = procedure.next();
      if (done) host.onDone(value);
      else world.agenda.after(world.draws.disk.between(0.05, 10), () => world.standstill.whenOver(step));
    } catch (thrown) {
      if (!(thrown instanceof Interrupted)) throw thrown;
      host.onInterrupted(thrown.how);
    }
  };
  step();
}
