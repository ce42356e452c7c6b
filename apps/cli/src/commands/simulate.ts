import { Command } from 'commander';
import { GradwireError } from '@gradwire/errors';
import {
  type FaultKind,
  faultKinds,
  missingKinds,
  resize,
  runBatch,
  type RunSize,
  type SeedsReport,
  simulateInParts,
  type SimulationOptions,
  type SimulationResult,
} from '@gradwire/simulator';
import { exitCodes } from '../exit-codes.ts';
import { programName } from '../output/program-name.ts';
import { formatTable } from '../output/table.ts';
import { commonOptions, options } from '../settings/options.ts';
import { prepareSettings } from '../settings/prepare-settings.ts';
import type { CommandContext } from './command.ts';
import { hearSignal } from './hear-signal.ts';

interface SimulateSettings {
  readonly seeds: number;
  readonly seed: number;
  readonly threads: number;
  readonly repeatEvery: number;
  readonly size?: RunSize;
  readonly trace?: boolean;
  readonly json?: boolean;
}

/** How many broken seeds are told in full. */
const mostTold = 10;

const greatestSeed = 0xffff_ffff;

/** `gradwire simulate`. */
export function simulateCommand(context: CommandContext): Command {
  const command = new Command('simulate')
    .description(
      'Run the engine under a virtual clock with simulated workers, links and faults, seed by seed.',
    )
    .addHelpText('after', examples);
  const { seeds, firstSeed, simulationThreads, repeatEvery, runSize, trace } = options;
  for (const option of [seeds, firstSeed, simulationThreads, repeatEvery, runSize, trace]) {
    command.addOption(option());
  }
  for (const option of Object.values(commonOptions)) command.addOption(option());
  return command.action(async () => {
    const settings = await prepareSettings<SimulateSettings>(command, context);
    if (settings === undefined) return;
    if (settings.trace) await traceSeed(settings, context);
    else await simulateSeeds(settings, context);
  });
}

async function simulateSeeds(
  { seeds: count, seed: first, threads, repeatEvery, size, json }: SimulateSettings,
  { console, signal, exit }: CommandContext,
): Promise<void> {
  checkLastSeed(first, count);
  const report = await runBatch({
    first,
    count,
    threads,
    repeatEvery,
    ...(size ? { size } : {}),
    signal,
    onProgress: (done) => console.live(`seed ${done} of ${count}`),
  });
  console.settle();
  if (json) console.json(report);
  else console.print(describeReport(report, size).join('\n'));
  if (report.broken.length > 0 || missingKinds(report, size).length > 0) exit(exitCodes.internal.code);
}

function checkLastSeed(first: number, count: number): void {
  const last = first + count - 1;
  if (last <= greatestSeed) return;
  throw new GradwireError(
    'OPTION_INVALID',
    `--seed and --seeds: expected a last seed of at most ${greatestSeed}, found ${last}`,
    { hint: `Give --seeds ${greatestSeed - first + 1} at most, or a smaller --seed.` },
  );
}

function describeReport(report: SeedsReport, size: RunSize | undefined): string[] {
  const sized = size ? ` --size ${size.workers}x${size.steps}` : '';
  const { seeds, length, virtualMs, faults, broken, hash } = report;
  const rows = (Object.keys(faultKinds) as FaultKind[]).map((kind) => [
    kind,
    `${faults[kind]}`,
    faultKinds[kind],
  ]);
  const missing = missingKinds(report, size);
  const hours = (virtualMs / 3_600_000).toFixed(1);
  return [
    `${seeds === 1 ? '1 seed' : `${seeds} seeds`}: ${length} events and effects in ${hours} virtual hours; faults:`,
    ...formatTable(rows, { right: [1] }),
    `hash of all traces: ${hash}`,
    ...broken
      .slice(0, mostTold)
      .flatMap(({ seed, message }) => [
        `seed ${seed}: ${message}`,
        `  to see it again: ${programName()} simulate --seed ${seed}${sized} --trace`,
      ]),
    ...missing.map((kind) => `${kind} never struck: what it would break is not known.`),
    broken.length === 0 ? 'No promise was broken.' : `${broken.length} seeds broke a promise.`,
  ];
}

/** Everything that happens in one seed, a line each. */
async function traceSeed(
  { seed, size, json }: SimulateSettings,
  { console, signal, exit }: CommandContext,
): Promise<void> {
  const options: SimulationOptions = {
    ...(size ? { adapt: (scenario) => resize(scenario, size) } : {}),
    onLine: (line) => (json ? console.json(line) : console.print(describeLine(line))),
  };
  const { broken, hash, faults } = await simulateUntil(signal, seed, options);
  if (json) console.json({ seed, hash, faults, broken: broken ?? null });
  else console.print(`${broken ? `Broken: ${broken.message}` : 'No promise was broken.'}\nhash: ${hash}`);
  if (broken) exit(exitCodes.internal.code);
}

async function simulateUntil(
  signal: AbortSignal,
  seed: number,
  options: SimulationOptions,
): Promise<SimulationResult> {
  const parts = simulateInParts(seed, options);
  for (;;) {
    const part = parts.next();
    if (part.done) return part.value;
    await hearSignal(signal);
  }
}

function describeLine({ atMs, kind, what }: { atMs: number; kind: string; what: object }): string {
  return `${atMs.toFixed(1).padStart(10)}  ${kind.padEnd(6)}  ${JSON.stringify(what)}`;
}

const examples = `
Examples:
  gradwire simulate                           1,000 seeds
  gradwire simulate --seeds 100000 --threads 4
  gradwire simulate --seeds 1 --size 1000x1000
  gradwire simulate --seed 42 --trace         everything that happens in one of them`;
