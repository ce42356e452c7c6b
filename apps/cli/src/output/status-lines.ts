import type { RunStatus } from '@gradwire/coordinator';
import { formatCount, plural } from '@gradwire/report';
import { formatTable } from './table.ts';

/** `gradwire status`: the run, what it waits for, how a codec was chosen, and a row for each worker. */
export function statusLines(status: RunStatus): string[] {
  const { run, recipe, phase, workers, waiting, codecChoice } = status;
  const lines = [
    `${run} (${recipe}): ${phase}, ${placeOf(status)}`,
    waiting,
    ...(codecChoice === undefined ? [] : [`codec auto: ${codecChoice}`]),
    ...incidentLines(status),
  ];
  if (workers.length === 0) return lines;
  const rows = workers.map((worker) => [
    worker.worker,
    worker.backend ?? '?',
    stateOf(status, worker),
    worker.samplesPerMs === undefined ? '-' : formatCount(Math.round(1000 * worker.samplesPerMs)),
    `${worker.load}`,
    worker.peer ?? '',
  ]);
  const head = ['worker', 'backend', 'state', 'samples/s', 'leases', 'from'];
  return [...lines, '', ...formatTable([head, ...rows], { right: [3, 4] })];
}

function incidentLines({ incidents: { count, last } }: RunStatus): string[] {
  if (!last) return [];
  return [`${plural(count, 'incident')}, the last at ${last.at}: ${last.message}`];
}

/** For example `step 412 of 938 (epoch 1 of 2)`. */
function placeOf({ round, totalSteps, stepsPerEpoch }: RunStatus): string {
  const epochs = Math.ceil(totalSteps / stepsPerEpoch);
  if (round === undefined) return `${formatCount(totalSteps)} steps, ${formatCount(epochs)} epochs`;
  const done = `${formatCount(round.version)} of ${formatCount(totalSteps)} steps done`;
  const epoch = Math.min(epochs, Math.floor(round.version / stepsPerEpoch) + 1);
  return `${done} (epoch ${formatCount(epoch)} of ${formatCount(epochs)})`;
}

function stateOf(
  { spares }: RunStatus,
  { worker, stage, isLate, isDraining }: RunStatus['workers'][number],
): string {
  if (isDraining) return 'draining';
  if (isLate) return 'late';
  if (stage === 'joined') return 'loading';
  if (stage === 'preparing') return 'fetching data';
  return spares.includes(worker) ? 'spare' : 'working';
}
