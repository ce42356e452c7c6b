import { type Colors, plainColors } from './colors.ts';
import { formatCount, formatDuration, formatLoss, formatPercent } from './format.ts';

/** Where a run stands. */
export interface Progress {
  /** From 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** Steps made. */
  readonly step: number;
  readonly totalSteps: number;
  readonly loss: number;
  /** In [0, 1]. */
  readonly accuracy: number;
  readonly samplesPerSecond: number;
  /** Not finite while it is not known. */
  readonly secondsLeft: number;
  readonly workers: number;
}

/**
 * One line that fits a terminal of `width` columns (default 100). What matters least is left out first, then the bar.
 *
 * @example
 * formatProgress(progress, { width: process.stderr.columns, colors: pc });
 */
export function formatProgress(
  progress: Progress,
  options: { readonly width?: number; readonly colors?: Colors } = {},
): string {
  const width = options.width ?? 100;
  const colors = options.colors ?? plainColors;
  const parts = partsOf(progress);
  // One column stays free: a terminal wraps a line that fills it.
  while (parts.length > 1 && lengthOf(parts) > width - 1) parts.splice(leastImportant(parts), 1);
  const room = Math.min(30, width - 1 - lengthOf(parts) - 2);
  const texts = parts.map(({ text, color }) => (color === undefined ? text : colors[color](text)));
  if (room >= 8) texts.splice(1, 0, progressBar(progress.step / progress.totalSteps, room, colors));
  const line = texts.join('  ');
  return lengthOf(parts) > width - 1 ? (parts[0]?.text ?? '').slice(0, Math.max(0, width - 1)) : line;
}

interface Part {
  readonly text: string;
  /** The highest goes first when there is no room. */
  readonly rank: number;
  readonly color?: keyof Colors;
}

function partsOf(progress: Progress): Part[] {
  const { epoch, epochs, step, totalSteps, workers } = progress;
  return [
    { rank: 0, text: `epoch ${epoch}/${epochs}`, color: 'bold' },
    { rank: 3, text: `step ${formatCount(step)}/${formatCount(totalSteps)}` },
    { rank: 1, text: `loss ${formatLoss(progress.loss)}` },
    { rank: 2, text: `accuracy ${formatPercent(progress.accuracy)}`, color: 'green' },
    { rank: 5, text: `${formatCount(progress.samplesPerSecond)} samples/s` },
    { rank: 4, text: `${formatDuration(progress.secondsLeft)} left` },
    { rank: 6, text: `${workers} ${workers === 1 ? 'worker' : 'workers'}`, color: 'dim' },
  ];
}

function leastImportant(parts: readonly Part[]): number {
  const rank = Math.max(...parts.map((part) => part.rank));
  return parts.findIndex((part) => part.rank === rank);
}

function lengthOf(parts: readonly Part[]): number {
  return parts.reduce((sum, { text }) => sum + text.length + 2, -2);
}

function progressBar(share: number, width: number, colors: Colors): string {
  const done = Math.max(0, Math.min(width, Math.round((Number.isFinite(share) ? share : 0) * width)));
  return colors.cyan('━'.repeat(done)) + colors.dim('─'.repeat(width - done));
}
