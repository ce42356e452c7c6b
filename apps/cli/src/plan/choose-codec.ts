import { prepareBackend, type BackendChoice } from '@gradwire/backend';
import { trainingIndices } from '@gradwire/data';
import { GradwireError } from '@gradwire/errors';
import { countSteps, type Recipe } from '@gradwire/recipes';
import type { Splits } from '@gradwire/coordinator';
import type { Console } from '../output/console.ts';
import type { CodecSettings } from '../settings/codec-of.ts';
import { type Candidate, codecCandidates, isGood, recommendCodec } from './candidates.ts';
import { autoCodecs, type Codec, inGroupsFor } from './codecs.ts';
import { crewOf } from './crew.ts';
import type { Link } from './link.ts';
import type { FirstWorker } from './measure-first-worker.ts';
import { codecText } from './plan-lines.ts';

/** What `--codec auto` goes by. */
export interface AutoCodecSettings extends CodecSettings {
  /** Of each worker; absent: that of the first one is measured. */
  readonly link?: Link;
  readonly workers?: number;
  readonly threads?: number;
  readonly backend?: BackendChoice;
}

/** What a codec is chosen for. */
export interface AutoCodecOptions {
  readonly recipe: Recipe;
  readonly data: Splits;
  /** Serves the first worker some steps of a recipe; absent if the first one is this machine. */
  readonly measure?: Measure | undefined;
}

type Measure = (recipe: Recipe, port?: number) => Promise<FirstWorker>;

/** The recipe with the codecs that `--codec auto` chose. */
export interface ChosenCodec {
  readonly recipe: Recipe;
  /** What was chosen, and why. */
  readonly reason: string;
  /** Where the first worker was measured. */
  readonly port?: number;
}

/**
 * Chooses codecs before the first step of a run: from the link that was given, or from steps of the first worker with
 * each codec. Throws as `measure` does.
 */
export async function chooseCodec(
  options: AutoCodecOptions,
  settings: AutoCodecSettings,
  console: Pick<Console, 'live' | 'settle'>,
): Promise<ChosenCodec> {
  const { recipe, measure } = options;
  const { lossy, link } = settings;
  if (!lossy) return { recipe, reason: 'float32; with --lossy it may choose a codec that loses something' };
  if (link) return fromLink(options, { ...settings, link }, console);
  if (measure) return fromFirstWorker({ ...options, measure }, settings);
  return { recipe, reason: 'float32; the first worker is on this machine' };
}

async function fromLink(
  { recipe, data }: AutoCodecOptions,
  { link, workers, threads, backend = 'auto' }: AutoCodecSettings & { readonly link: Link },
  console: Pick<Console, 'live' | 'settle'>,
): Promise<ChosenCodec> {
  console.live('codec auto: measuring this machine …');
  await prepareBackend(backend);
  // Here alone a coordinator loads tfjs.
  const { measureCosts } = await import('./measure-costs.ts');
  const costs = measureCosts(recipe, data);
  console.settle();
  const crew = crewOf({ workers, threads, isRemote: true });
  const trainingCount = countTraining(recipe, data);
  const candidates = codecCandidates(costs, { recipe, trainingCount, ...crew, link });
  const chosen = recommendCodec(candidates);
  return { recipe: withCodec(recipe, chosen.codec), reason: reasonFor(chosen, candidates) };
}

/** What steps with a codec take. */
interface Tried extends Pick<Candidate, 'codec' | 'stepMs' | 'waitingShare'> {
  readonly otherMs: number;
}

/** Tries one codec after the other until one is good enough. */
async function fromFirstWorker(
  { recipe, data, measure }: AutoCodecOptions & { readonly measure: Measure },
  { workers = 2 }: AutoCodecSettings,
): Promise<ChosenCodec> {
  const samples = countSteps(recipe, countTraining(recipe, data)).batchSize / workers;
  const tried: Tried[] = [];
  let first: FirstWorker | undefined;
  for (const codec of autoCodecs) {
    // All shards in one group: this worker sends one vector, as each of several will.
    first = await measure(withCodec(recipe, inGroupsFor(codec, recipe.shards, 1)), first?.port);
    const { msPerSample, otherMs } = first;
    const stepMs = msPerSample * samples + otherMs;
    tried.push({
      codec: inGroupsFor(codec, recipe.shards, workers),
      stepMs,
      waitingShare: otherMs / stepMs,
      otherMs,
    });
    if (tried.some(isGood)) break;
  }
  const chosen = recommendCodec(tried);
  const times = tried.map(({ codec, otherMs }) => `${codec.name} ${otherMs.toFixed(1)} ms`).join(', ');
  const measured = `besides computing a step takes ${first?.worker}: ${times}`;
  return {
    recipe: withCodec(recipe, chosen.codec),
    reason: `${reasonFor(chosen, tried)}; ${measured}`,
    ...(first ? { port: first.port } : {}),
  };
}

function countTraining(recipe: Recipe, { train }: Splits): number {
  return trainingIndices(train.count, { validationShare: 0, ...recipe }).training.length;
}

function withCodec(recipe: Recipe, { isLossless, spec }: Codec): Recipe {
  return isLossless ? recipe : { ...recipe, codec: spec };
}

function reasonFor(
  chosen: Pick<Candidate, 'codec' | 'waitingShare'>,
  [plain = chosen]: readonly Pick<Candidate, 'waitingShare'>[],
): string {
  const [now, otherwise] = [chosen, plain].map(({ waitingShare }) => `${(100 * waitingShare).toFixed(0)} %`);
  const waiting = `workers would wait ${now} of the time`;
  return `${codecText(chosen.codec)}; ${chosen === plain ? waiting : `${waiting}, ${otherwise} with float32`}`;
}

/** The error for a link that nobody would ask for. */
export function linkMisplaced(codec = 'float32'): GradwireError {
  return new GradwireError('OPTION_INVALID', `--link belongs to --codec auto, found --codec ${codec}`, {
    hint: 'Leave --link out, or see what to expect of it with gradwire plan --link.',
  });
}
