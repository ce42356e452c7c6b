import type { WorkerEvent } from '@gradwire/worker';
import { formatBytes } from '@gradwire/report/format';
import type { Console } from './console.ts';
import { createProgressLine } from './progress-line.ts';

/** Shows what a worker does. */
export interface WorkerOutput {
  handle(event: WorkerEvent): void;
  /** The latest lines, oldest first, for a failure report. */
  lastLines(): readonly string[];
}

const keptLines = 20;

export function createWorkerOutput(console: Console, json: boolean): WorkerOutput {
  const lines: string[] = [];
  let samples = 0;
  const say = (line: string): void => {
    lines.push(line);
    if (lines.length > keptLines) lines.shift();
    console.say(line);
  };
  const idle = createIdleNotice(say);
  const progress = createProgressLine(console, { say });
  const computed = (event: Extract<WorkerEvent, { type: 'computed' }>): void => {
    if (event.task === 'step') samples += event.samples;
    progress(`step ${event.version + 1}: ${samples.toLocaleString('en')} samples computed`);
  };
  return {
    handle(event) {
      idle.note(event);
      if (json) console.json({ event: event.type, ...event, type: undefined });
      if (event.type === 'computed') return computed(event);
      const line = describe(event);
      if (line !== undefined) say(line);
      if (event.type === 'ended') console.settle();
    },
    lastLines: () => lines,
  };
}

const idleMs = 2_000;
const idleAgainMs = 10_000;

/** Says why a worker does nothing, after two seconds and then every ten. */
function createIdleNotice(say: (line: string) => void): { note(event: WorkerEvent): void } {
  let reason: string | undefined;
  let sinceMs = performance.now();
  let saidMs = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    if (reason === undefined || now < (saidMs > sinceMs ? saidMs + idleAgainMs : sinceMs + idleMs)) return;
    saidMs = now;
    say(`waiting for ${reason}, since ${((now - sinceMs) / 1000).toFixed(0)} s`);
  }, 500);
  // It must not keep the process alive.
  timer.unref();
  return {
    note(event) {
      sinceMs = performance.now();
      reason = waitedFor[event.type];
    },
  };
}

/** What a worker waits for after an event; the others are followed by work, or tell it themselves. */
const waitedFor: Partial<Record<WorkerEvent['type'], string>> = {
  connecting: 'an answer of the coordinator',
  ready: 'the data set to be found and checked',
  joined: 'the coordinator to say which shards to prepare',
  preparing: 'the data of its shards to arrive',
  prepared: 'leases: the run has enough workers for its shards, or is between two steps',
  computed: 'leases: the coordinator waits for other workers',
};

function describe(event: Exclude<WorkerEvent, { type: 'computed' }>): string | undefined {
  switch (event.type) {
    case 'connecting':
      return event.attempt === 1 ? `connecting to ${event.url}` : undefined;
    case 'joined':
      return `joined run ${event.run} as ${event.worker}, recipe ${event.recipe}`;
    case 'data-local':
      return `data: ${event.source}`;
    case 'preparing':
      return undefined;
    case 'prepared':
      return event.fetchedBytes === 0 ? undefined : describeFetched(event);
    case 'problem':
      return `problem: ${event.message}`;
    case 'ready':
      return `ready: backend ${event.backend}, numerics class ${event.numericsClass}`;
    case 'unreachable':
      return `waiting for the coordinator: ${event.reason}`;
    case 'disconnected':
      return `connection lost: ${event.reason}; connecting again`;
    case 'ended': {
      const isOver = event.outcome !== 'left' && event.outcome !== 'released';
      const what = isOver ? `the run has ${event.outcome}` : 'left the run';
      return event.message === '' ? what : `${what}: ${event.message}`;
    }
    default:
      return event satisfies never;
  }
}

function describeFetched({ fetchedBytes, shards }: Extract<WorkerEvent, { type: 'prepared' }>): string {
  return `data: fetched ${formatBytes(fetchedBytes)} for shards ${shards.join(', ')}`;
}
