import type { Strategy } from '@gradwire/recipes';
import type { Candidate } from './candidates.ts';
import type { Codec } from './codecs.ts';
import type { Trial } from './run-trial.ts';

/** The candidates as a table for people; the recommended one is marked. */
export function candidateLines(candidates: readonly Candidate[], recommended: Candidate): string[] {
  const rows = candidates.map((candidate) => [
    candidate === recommended ? '>' : '',
    strategyName(candidate.strategy),
    candidate.codec.name,
    `${(candidate.bytesPerStep / 1e6).toFixed(2)} MB`,
    count(candidate.stepsPerEpoch),
    `${milliseconds(candidate.stepMs)} ms`,
    count(candidate.samplesPerSecond),
    percent(candidate.waitingShare),
  ]);
  const head = ['', 'strategy', 'codec', 'traffic', 'steps/epoch', 'a step', 'samples/s', 'waiting'];
  return table([head, ...rows]);
}

/** A trial beside its prediction. */
export function trialLine(candidate: Candidate, trial: Trial): string {
  const { strategy, stepMs, samplesPerSecond } = candidate;
  const ratio = (trial.stepMs / stepMs).toFixed(2);
  return [
    `${strategyName(strategy)}: a step of ${milliseconds(stepMs)} ms predicted, ${milliseconds(trial.stepMs)} ms measured (x ${ratio});`,
    `${count(samplesPerSecond)} samples/s predicted, ${count(trial.samplesPerSecond)} measured`,
  ].join(' ');
}

/** The options that choose a strategy on the command line. */
export function strategyArguments(strategy: Strategy): string[] {
  const args = ['--strategy', strategy.type];
  if ('localSteps' in strategy) args.push('--local-steps', `${strategy.localSteps}`);
  if ('maxStaleness' in strategy) args.push('--max-staleness', `${strategy.maxStaleness}`);
  return args;
}

/** For people: `int8 for the sum over 4 shards, bfloat16 for weights`. */
export function codecText({ name, spec: { gradients, weights } }: Codec): string {
  return gradients
    ? `${name} for the sum over ${gradients.shards} shards, ${weights ?? 'float32'} for weights`
    : name;
}

export function strategyName(strategy: Strategy): string {
  if ('localSteps' in strategy) return `${strategy.type}, ${strategy.localSteps} local steps`;
  return strategy.type === 'asynchronous' ? 'asynchronous (not exact)' : strategy.type;
}

/** Columns padded to equal width; numbers, which stand last, to the right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, i) => (i < 3 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

function milliseconds(ms: number): string {
  return ms < 100 ? ms.toFixed(1) : count(ms);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
