import type { CoordinatorEvent } from '@gradwire/coordinator';
import { formatBytes, formatCount, formatPercent } from '@gradwire/report';
import type { LocalWorkerEvent } from '../processes/local-workers.ts';
import type { Console } from './console.ts';
import { relativePath } from './relative-path.ts';

/** The line for an event of the run, or undefined where the live progress says it. */
export function describeEvent(event: CoordinatorEvent, colors: Console['colors']): string | undefined {
  switch (event.type) {
    case 'listening':
      return colors.dim(
        `listening on ${event.host}, port ${event.port}; run directory ${relativePath(event.directory)}`,
      );
    case 'worker-joined':
      return `${event.worker} ${event.again ? 'came back' : 'joined'} (${event.backend}, ${countThreads(event.threads)}, ${event.peer}): ${countWorkers(event.workers)}`;
    case 'worker-ready':
      return colors.dim(`${event.worker} is ready (numerics class ${event.numericsClass})`);
    case 'worker-prepared':
      return event.fetchedBytes === 0
        ? undefined
        : `${event.worker} fetched ${formatBytes(event.fetchedBytes)} of data for shards ${event.shards.join(', ')}`;
    case 'resumed':
      return colors.bold(
        event.step === 0
          ? `the run had no snapshot: it begins again at step 1 (start ${event.term} of this run)`
          : `the run goes on after step ${formatCount(event.step)} (start ${event.term} of this run)`,
      );
    case 'rolled-back':
      return colors.yellow(
        `the run goes back to step ${formatCount(event.step)}: ${event.worker} may have computed wrong numbers after it`,
      );
    case 'problem':
      return colors.red(`problem: ${event.message}`);
    case 'worker-left':
      return describeLeaving(event, colors);
    case 'worker-refused':
      return colors.yellow(`refused a connection from ${event.peer}: ${event.message}`);
    case 'inexact':
      return colors.yellow(`not exact: ${event.reason}`);
    case 'epoch':
      return `epoch ${event.epoch} done: training loss ${event.loss.toFixed(4)}, accuracy ${formatPercent(event.accuracy)}`;
    case 'evaluated': {
      const { split, step, epoch, loss, accuracy } = event.record;
      return colors.bold(
        `${split} at step ${formatCount(step)} (epoch ${epoch}): loss ${loss.toFixed(4)}, accuracy ${formatPercent(accuracy)}`,
      );
    }
    case 'waiting':
      return colors.yellow(`nothing moved for ${event.seconds.toFixed(0)} s: ${event.message}`);
    case 'step':
    case 'snapshot':
      return undefined;
    default:
      return event satisfies never;
  }
}

/** The line for a worker process of this machine. */
export function describeProcess(
  event: Exclude<LocalWorkerEvent, { type: 'none-left' }>,
  colors: Console['colors'],
): string {
  if (event.type === 'started') return colors.dim(`${event.name} starts as process ${event.pid}`);
  if (event.type === 'harmed') return colors.yellow(`${event.name} is ${event.how} by --chaos`);
  const next = event.willRestart ? 'starting it again' : 'it is not started again';
  return colors.yellow(`${event.name} ${event.cause}: ${next}`);
}

function describeLeaving(
  { worker, why, reason, workers }: Extract<CoordinatorEvent, { type: 'worker-left' }>,
  colors: Console['colors'],
): string | undefined {
  if (why === 'ended') return undefined;
  const verb = { leave: 'left', lost: 'is lost', failed: 'failed', expelled: 'was put out' }[why];
  const line = `${worker} ${verb} (${reason}): ${countWorkers(workers)}${workers > 0 ? '; its leases go to the others' : ''}`;
  return why === 'leave' ? line : colors.yellow(line);
}

function countThreads(threads: number): string {
  return threads === 1 ? '1 thread' : `${threads} threads`;
}

function countWorkers(workers: number): string {
  return workers === 1 ? '1 worker' : `${workers} workers`;
}
