import { bucketMeans } from '../figures/bucket-means.ts';
import type { Axis } from './axis.ts';
import { linearAxis } from './axis.ts';
import { escapeHtml } from './escape.ts';

/** A value after a number of steps. */
export interface Point {
  readonly step: number;
  readonly value: number;
}

/** A curve over the steps of a run, with evaluations as dots. */
export interface Chart {
  readonly title: string;
  /** One value a step, from the first. */
  readonly training: readonly number[];
  readonly evaluations: readonly Point[];
  readonly axis: Axis;
  readonly format: (value: number) => string;
}

const size = { width: 420, height: 260 };
const plot = { left: 58, right: 408, top: 12, bottom: 210 };
const maxPoints = 160;

/** The chart as an SVG element that takes the width it is given. */
export function renderChart(chart: Chart): string {
  const lastStep = Math.max(chart.training.length, ...chart.evaluations.map(({ step }) => step), 2);
  const steps = linearAxis(0, lastStep);
  const place = ({ step, value }: Point): [number, number] => [
    plot.left + steps.position(step) * (plot.right - plot.left),
    plot.bottom - chart.axis.position(value) * (plot.bottom - plot.top),
  ];
  const means = bucketMeans(chart.training, maxPoints)
    .filter(({ mean }) => Number.isFinite(mean))
    .map(({ middle, mean }) => place({ step: middle + 1, value: mean }));
  const dots = chart.evaluations.filter(({ value }) => Number.isFinite(value)).map(place);
  return [
    `<svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${escapeHtml(chart.title)} over the steps">`,
    ...chart.axis.ticks.map((tick) => horizontalTick(place({ step: 0, value: tick })[1], chart.format(tick))),
    ...steps.ticks.map((tick) => verticalTick(place({ step: tick, value: 0 })[0], tick.toLocaleString('en'))),
    `<path class="frame" d="M${plot.left} ${plot.top}V${plot.bottom}H${plot.right}"/>`,
    polyline('training', means),
    polyline('evaluation', dots),
    ...dots.map(([x, y]) => `<circle class="evaluation" cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="3.5"/>`),
    `<text x="${(plot.left + plot.right) / 2}" y="${plot.bottom + 40}" text-anchor="middle">step</text>`,
    '</svg>',
  ].join('\n');
}

function horizontalTick(y: number, label: string): string {
  const line = `<path class="grid" d="M${plot.left} ${y.toFixed(1)}H${plot.right}"/>`;
  return `${line}<text x="${plot.left - 7}" y="${(y + 4).toFixed(1)}" text-anchor="end">${escapeHtml(label)}</text>`;
}

function verticalTick(x: number, label: string): string {
  const line = `<path class="grid" d="M${x.toFixed(1)} ${plot.bottom}v5"/>`;
  return `${line}<text x="${x.toFixed(1)}" y="${plot.bottom + 20}" text-anchor="middle">${escapeHtml(label)}</text>`;
}

function polyline(name: string, points: readonly (readonly [number, number])[]): string {
  const text = points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ');
  return text === '' ? '' : `<polyline class="${name}" points="${text}"/>`;
}
