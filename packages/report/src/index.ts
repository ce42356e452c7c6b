export { classificationReport } from './figures/classification.ts';
export { renderHtmlReport } from './html/html-report.ts';
export { formatClassification } from './text/classification.ts';
export { plainColors } from './text/colors.ts';
export { formatConfusion } from './text/confusion.ts';
export { formatEnd } from './text/end-text.ts';
export {
  formatBytes,
  formatCount,
  formatDuration,
  formatLoss,
  formatPercent,
  plural,
} from './text/format.ts';
export { nextCommands, quote } from './text/next-commands.ts';
export { formatProgress } from './text/progress-line.ts';
export { sparkLine } from './text/spark-line.ts';
export type { ClassificationReport, ClassScore } from './figures/classification.ts';
export type { RunReport } from './html/html-report.ts';
export type { Curve, Evaluation, Summary, WorkerSummary } from './summary.ts';
export type { Colors } from './text/colors.ts';
export type { EndDetails } from './text/end-text.ts';
export type { NextCommand } from './text/next-commands.ts';
export type { Progress } from './text/progress-line.ts';
export type { SparkLineOptions } from './text/spark-line.ts';
