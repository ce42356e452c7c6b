import type { RunStatus } from '@gradwire/coordinator';

/** `gradwire explain`: what is waited for, why, and what a person can do. */
export function explainLines(status: RunStatus): string[] {
  const { waiting, nowMs, lastMoveMs, phase } = status;
  if (phase !== 'running') return [`${waiting}.`];
  const moved = `The last lease, contribution or commit was ${seconds(nowMs - lastMoveMs)} ago.`;
  return [`${waiting}.`, moved, ...reasons(status), '', `To do: ${advice(status)}`];
}

function reasons({ workers, spares, outstanding, nowMs }: RunStatus): string[] {
  const lines = workers.flatMap(({ worker, stage }) => {
    if (stage === 'joined') return [`${worker} has joined and loads its backend.`];
    if (stage === 'preparing') return [`${worker} fetches the data of its shards.`];
    const own = outstanding.filter(({ owner }) => owner === worker);
    if (own.length === 0) return [];
    const sinceMs = Math.min(...own.map((leaf) => leaf.sinceMs));
    return [`${worker} has ${count(own.length, 'lease')} left, since ${seconds(nowMs - sinceMs)}.`];
  });
  if (spares.length > 0) lines.push(`Ready, with nothing to do in this round: ${spares.join(', ')}.`);
  const classes = new Set(workers.flatMap(({ numericsClass }) => numericsClass ?? []));
  if (classes.size > 1) {
    lines.push(
      `The workers do not compute the same bits (${[...classes].join(', ')}): the run is not exact.`,
    );
  }
  return lines;
}

function advice({ waitingFor, workers, outstanding }: RunStatus): string {
  if (workers.length === 0) {
    return 'start a worker with the command that the coordinator printed, on any machine. Nothing is lost meanwhile.';
  }
  if (waitingFor === 'workers') return 'nothing: the run goes on when they are ready.';
  const owners = new Set(outstanding.map(({ owner }) => owner));
  if (owners.size < workers.length) return 'nothing: other workers take over what is late.';
  return 'nothing, unless it stands still: then start one more worker, which takes over what is late.';
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
