import { Command } from 'commander';
import { prepareBackend } from '@gradwire/backend';
import { trainingIndices } from '@gradwire/data';
import type { Recipe } from '@gradwire/recipes';
import { quote } from '@gradwire/report';
import { type LoadedDataset, loadDataset } from '../datasets.ts';
import { createDataLines } from '../output/data-lines.ts';
import { programName } from '../output/program-name.ts';
import { relativePath } from '../output/relative-path.ts';
import { type Candidate, listCandidates, recommend, type Situation } from '../plan/candidates.ts';
import { type Crew, crewOf } from '../plan/crew.ts';
import { describeLink, type Link, loopback } from '../plan/link.ts';
import { measureCosts } from '../plan/measure-costs.ts';
import { measureLink } from '../plan/measure-link.ts';
import { candidateLines, strategyArguments, strategyName, trialLine } from '../plan/plan-lines.ts';
import { runTrial, type Trial } from '../plan/run-trial.ts';
import { commonOptions, options, recipeOptions } from '../settings/options.ts';
import { parseAddress } from '../settings/parse-address.ts';
import { prepareSettings } from '../settings/prepare-settings.ts';
import { type RecipeSettings, resolveRecipe, settingsOfRecipe } from '../settings/resolve-recipe.ts';
import type { CommandContext } from './command.ts';
import { hearSignal } from './hear-signal.ts';

interface PlanSettings extends RecipeSettings {
  readonly dataDir?: string;
  readonly cacheDir?: string;
  readonly workers?: number;
  readonly threads?: number;
  readonly backend: 'auto' | 'wasm' | 'native';
  readonly link?: Link;
  /** `ws://host:port#token`. */
  readonly measure?: string;
  readonly runSteps?: number;
  readonly json?: boolean;
}

/** `gradwire plan`. */
export function planCommand(context: CommandContext): Command {
  const command = new Command('plan')
    .description('Measure this machine, predict what a step will take with each strategy, and recommend one.')
    .addHelpText('after', examples);
  const { dataDir, cacheDir, workers, threads, backend, link, measure, runSteps } = options;
  const own = [dataDir, cacheDir, workers, threads, backend, link, measure, runSteps];
  for (const option of [...recipeOptions, ...own]) command.addOption(option());
  for (const option of Object.values(commonOptions)) command.addOption(option());
  return command.action(async () => {
    const settings = await prepareSettings<PlanSettings>(command, context, async (given) =>
      settingsOfRecipe((await resolveRecipe(given)).recipe),
    );
    if (settings !== undefined) await plan(settings, context);
  });
}

async function plan(settings: PlanSettings, context: CommandContext): Promise<void> {
  const { console, signal } = context;
  const { measure } = settings;
  const { recipe } = await resolveRecipe(settings);
  const onEvent = createDataLines(console);
  const { dataDir, cacheDir } = settings;
  const data = await loadDataset(recipe.dataset, { dataDir, cacheDir, signal, onEvent });
  const link = measure === undefined ? (settings.link ?? loopback) : await measured(measure, signal);
  console.live('measuring this machine …');
  await prepareBackend(settings.backend);
  const costs = measureCosts(recipe, data);
  await hearSignal(signal);
  console.settle();

  const { training } = trainingIndices(data.train.count, { validationShare: 0, ...recipe });
  const isRemote = settings.link !== undefined || measure !== undefined;
  const crew = crewOf({ workers: settings.workers, threads: settings.threads, isRemote });
  const situation: Situation = { recipe, trainingCount: training.length, ...crew, link };
  const candidates = listCandidates(costs, situation);
  const chosen = recommend(candidates);
  const command = commandLine(settings, recipe, chosen);
  if (!settings.json) {
    const { gradientMs, commitMs } = costs;
    const micro = Math.ceil(recipe.batchSize / recipe.shards);
    console.print(`${recipe.name}, ${describeCrew(crew)}, ${describeLink(link)}`);
    console.print(
      `gradient of ${micro} samples ${gradientMs.toFixed(1)} ms, update ${commitMs.toFixed(1)} ms\n`,
    );
    console.print(`${candidateLines(candidates, chosen).join('\n')}\n`);
    console.print(`${adviceOf(chosen)}\n  ${command}`);
  }
  const trials = await runTrials(settings, context, {
    situation,
    data,
    chosen: trialCandidates(candidates, chosen),
  });
  if (settings.json)
    console.json({
      link: link === loopback ? null : link,
      costs,
      candidates,
      recommended: chosen,
      command,
      trials,
    });
}

function describeCrew({ workers, threads }: Crew): string {
  const each = threads === 1 ? '1 thread' : `${threads} threads`;
  return workers === 1 ? `1 worker with ${each}` : `${workers} workers with ${each} each`;
}

function measured(address: string, signal: AbortSignal): Promise<Link> {
  const { url, token } = parseAddress(address, undefined);
  return measureLink(url, token, signal);
}

/** The recommended one, and the usual one beside it. */
function trialCandidates(candidates: readonly Candidate[], chosen: Candidate): Candidate[] {
  const [usual] = candidates;
  return usual === undefined || usual === chosen ? [chosen] : [usual, chosen];
}

interface TrialPlan {
  readonly situation: Situation;
  readonly data: LoadedDataset;
  readonly chosen: readonly Candidate[];
}

async function runTrials(
  { runSteps, backend, dataDir, cacheDir, json }: PlanSettings,
  { console, signal }: CommandContext,
  { situation, data, chosen }: TrialPlan,
): Promise<(Trial & Pick<Candidate, 'strategy'>)[]> {
  if (runSteps === undefined) return [];
  const trials = [];
  const workerArguments = ['--backend', backend, '--threads', `${situation.threads}`];
  if (dataDir !== undefined) workerArguments.push('--data-dir', dataDir);
  if (cacheDir !== undefined) workerArguments.push('--cache-dir', cacheDir);
  for (const candidate of chosen) {
    const { strategy } = candidate;
    const { codec: _, ...plain } = situation.recipe;
    const recipe: Recipe = { ...plain, strategy, epochs: 1_000_000 };
    const trial = await runTrial({
      ...situation,
      recipe,
      data,
      signal,
      workerArguments,
      steps: runSteps,
      onStep: (step) => console.live(`trial of ${strategyName(strategy)}: step ${step} of ${runSteps}`),
    });
    console.settle();
    if (!json) console.print(trialLine(candidate, trial));
    trials.push({ strategy, ...trial });
  }
  return trials;
}

function adviceOf({ strategy, waitingShare }: Candidate): string {
  const waiting = `workers would wait ${(100 * waitingShare).toFixed(0)} % of the time`;
  if (strategy.type === 'synchronous') return `Recommended: synchronous training; ${waiting}.`;
  return `Recommended: ${strategyName(strategy)}, exact as well; ${waiting}. See docs/strategies.md.`;
}

/** The command that starts the recommended run, with the settings that were given here. */
function commandLine(settings: PlanSettings, recipe: Recipe, { strategy }: Candidate): string {
  const { link, measure, workers, threads, dataDir, backend } = settings;
  const isRemote = link !== undefined || measure !== undefined;
  const args = isRemote ? ['coordinator', '--host', '0.0.0.0'] : ['train'];
  if (!isRemote && workers !== undefined) args.push('--workers', `${workers}`);
  if (!isRemote && threads !== undefined) args.push('--threads', `${threads}`);
  args.push('--recipe', settings.recipe);
  for (const name of ['epochs', 'steps', 'batchSize', 'shards', 'seed'] as const) {
    const value = settings[name];
    if (value !== undefined) args.push(name === 'batchSize' ? '--batch-size' : `--${name}`, `${value}`);
  }
  if (dataDir !== undefined) args.push('--data-dir', relativePath(dataDir));
  if (!isRemote && backend !== 'auto') args.push('--backend', backend);
  const isUsual = strategy.type === 'synchronous' && recipe.strategy === undefined;
  const strategyArgs = isUsual ? [] : strategyArguments(strategy);
  return [programName(), ...[...args, ...strategyArgs].map(quote)].join(' ');
}

const examples = `
Examples:
  gradwire plan                                      this machine alone
  gradwire plan --workers 4 --link 20mbit,50ms       four machines, each behind such a link
  gradwire plan --link 100mbit/20mbit,30ms --run-steps 10
  gradwire plan --measure ws://10.0.0.5:8787#TOKEN   the link to a coordinator that waits for workers`;
