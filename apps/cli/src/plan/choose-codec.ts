import { prepareBackend, type BackendChoice } from '@gradwire/backend';
import { trainingIndices } from '@gradwire/data';
import { GradwireError } from '@gradwire/errors';
import type { Recipe } from '@gradwire/recipes';
import type { LoadedDataset } from '../datasets.ts';
import type { Console } from '../output/console.ts';
import { isLoopback } from '../run/join-command.ts';
import type { CodecSettings } from '../settings/codec-of.ts';
import { type Candidate, codecCandidates, recommendCodec } from './candidates.ts';
import { crewOf } from './crew.ts';
import type { Link } from './link.ts';
import { measureCosts } from './measure-costs.ts';
import { codecText } from './plan-lines.ts';

/** What `--codec auto` goes by. */
export interface AutoCodecSettings extends CodecSettings {
  /** Of each worker; absent: all are on this machine. */
  readonly link?: Link;
  readonly workers?: number;
  readonly threads?: number;
  readonly backend?: BackendChoice;
}

/**
 * The recipe with the codecs that `--codec auto` chooses, before anybody has joined: from the link that was given, and
 * from what this machine takes for a step. Throws OPTION_INVALID where a link is needed and none was given.
 */
export async function withChosenCodec(
  { recipe, data }: { readonly recipe: Recipe; readonly data: LoadedDataset },
  settings: AutoCodecSettings & { readonly host: string },
  console: Pick<Console, 'say' | 'live' | 'settle'>,
): Promise<Recipe> {
  const { lossy, link, host } = settings;
  if (!lossy) {
    console.say('codec auto: float32; with --lossy it may choose a codec that loses something');
    return recipe;
  }
  if (!link) {
    if (!isLoopback(host)) throw linkMissing();
    console.say('codec auto: float32; the workers are on this machine');
    return recipe;
  }
  console.live('codec auto: measuring this machine …');
  await prepareBackend(settings.backend ?? 'auto');
  const costs = measureCosts(recipe, data);
  console.settle();
  const { training } = trainingIndices(data.train.count, { validationShare: 0, ...recipe });
  const crew = crewOf({ workers: settings.workers, threads: settings.threads, isRemote: true });
  const candidates = codecCandidates(costs, { recipe, trainingCount: training.length, ...crew, link });
  const chosen = recommendCodec(candidates);
  console.say(`codec auto: ${codecText(chosen.codec)}; ${waitingText(chosen, candidates)}`);
  return chosen.codec.isLossless ? recipe : { ...recipe, codec: chosen.codec.spec };
}

function waitingText(chosen: Candidate, [plain]: readonly Candidate[]): string {
  const [now, otherwise] = [chosen, plain ?? chosen].map(
    (each) => `${(100 * each.waitingShare).toFixed(0)} %`,
  );
  const waiting = `workers would wait ${now} of the time`;
  return chosen === plain ? waiting : `${waiting}, ${otherwise} with float32`;
}

/** The error for a link that nobody would ask for. */
export function linkMisplaced(codec = 'float32'): GradwireError {
  return new GradwireError('OPTION_INVALID', `--link belongs to --codec auto, found --codec ${codec}`, {
    hint: 'Leave --link out, or see what to expect of it with gradwire plan --link.',
  });
}

function linkMissing(): GradwireError {
  return new GradwireError('OPTION_INVALID', '--codec auto --lossy needs the link of the workers: --link', {
    hint: 'For example --link 20mbit,50ms. To measure it, run gradwire plan --measure ADDRESS on a worker’s machine.',
  });
}
