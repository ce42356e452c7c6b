import type { RunState } from '@gradwire/engine';
import { createTrace } from '../base/trace.ts';

/** A state of a run and what belongs to it on disk. */
export interface SimulatedSnapshot {
  readonly state: RunState;
  /** Length of the journal at that point. */
  readonly journalLength: number;
}

/** As a text whose last line is its sum. Vectors as bit patterns: JSON knows neither -0 nor NaN. */
export function encodeSnapshot({ state, journalLength }: SimulatedSnapshot): string {
  const text = JSON.stringify({
    lastRound: state.lastRound,
    weights: bitsOf(state.weights),
    optimizer: Object.fromEntries(
      Object.entries(state.optimizer).map(([name, values]) => [name, bitsOf(values)]),
    ),
    epochTotals: state.epochTotals,
    journalLength,
  });
  return `${text}\n${sumOf(text)}`;
}

/** Nothing if the text is torn or damaged. */
export function decodeSnapshot(content: string): SimulatedSnapshot | undefined {
  const [text = '', sum] = content.split('\n');
  return sum === sumOf(text) ? parseSnapshot(text) : undefined;
}

/** Without a look at the sum. */
export function parseSnapshot(text: string): SimulatedSnapshot {
  const { journalLength, weights, optimizer, ...rest } = JSON.parse(text) as Written;
  const vectors = Object.entries(optimizer).map(([name, bits]) => [name, fromBits(bits)] as const);
  return {
    state: { ...rest, weights: fromBits(weights), optimizer: Object.fromEntries(vectors) },
    journalLength,
  };
}

interface Written extends Omit<RunState, 'weights' | 'optimizer'> {
  readonly journalLength: number;
  readonly weights: readonly number[];
  readonly optimizer: Readonly<Record<string, readonly number[]>>;
}

function sumOf(text: string): string {
  const trace = createTrace();
  trace.note(text);
  return trace.hash();
}

function bitsOf(values: Float32Array): number[] {
  return [...new Uint32Array(values.buffer, values.byteOffset, values.length)];
}

function fromBits(bits: readonly number[]): Float32Array {
  return new Float32Array(Uint32Array.from(bits).buffer);
}
