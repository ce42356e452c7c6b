import { GradwireError } from '@gradwire/errors';
import type { CodecSpec, CompleteCodec } from '@gradwire/recipes';

/** The settings that choose how vectors travel. */
export interface CodecSettings {
  /** Of gradients; `auto` chooses both. */
  readonly codec?: CompleteCodec['codec'] | 'float32' | 'auto';
  readonly weightsCodec?: 'float32' | 'bfloat16' | 'float16';
  readonly codecShards?: number;
  /** Of `top-k`. */
  readonly codecFeedback?: number;
  /** Leave for `auto` to choose a lossy one. */
  readonly lossy?: boolean;
}

/** What `--codec` takes. */
export const codecNames: readonly NonNullable<CodecSettings['codec']>[] = [
  'float32',
  'bfloat16',
  'float16',
  'int8',
  'top-k',
  'auto',
];

/**
 * The codecs that settings ask for, completed from the recipe's own; undefined if they leave the recipe as it is.
 * `auto` counts as float32: it is replaced by its choice before a run starts. Throws OPTION_INVALID.
 */
export function codecOf(settings: CodecSettings, own?: CodecSpec): CodecSpec | undefined {
  checkAuto(settings);
  const { codec, weightsCodec, codecShards, codecFeedback } = settings;
  if ([codec, weightsCodec, codecShards, codecFeedback].every((value) => value === undefined)) return own;
  const gradients = gradientsOf(settings, own?.gradients);
  const weights = codec === 'auto' || weightsCodec === 'float32' ? undefined : (weightsCodec ?? own?.weights);
  // A recipe that names no codec sends float32 already, and keeps its hash.
  if (!gradients && !weights) return own === undefined ? undefined : {};
  return { ...(gradients && { gradients }), ...(weights && { weights }) };
}

/** What a recipe's codecs give to settings which nobody set. */
export function settingsOfCodec({ gradients, weights }: CodecSpec = {}): Record<string, unknown> {
  return {
    codec: gradients?.type ?? 'float32',
    weightsCodec: weights ?? 'float32',
    codecShards: gradients?.shards,
    codecFeedback: feedbackOf(gradients),
  };
}

/** The options that choose codecs on the command line; none for float32. */
export function codecArguments({ gradients, weights }: CodecSpec = {}): string[] {
  const args = gradients ? ['--codec', gradients.type] : [];
  if (gradients?.shards !== undefined) args.push('--codec-shards', `${gradients.shards}`);
  const feedback = feedbackOf(gradients);
  if (feedback !== undefined) args.push('--codec-feedback', `${feedback}`);
  if (weights) args.push('--weights-codec', weights);
  return args;
}

function gradientsOf(
  { codec, codecShards, codecFeedback }: CodecSettings,
  own: CodecSpec['gradients'],
): CodecSpec['gradients'] | undefined {
  const type = codec ?? own?.type ?? 'float32';
  if (type !== 'top-k' && codecFeedback !== undefined)
    throw misplaced('--codec-feedback belongs to --codec top-k', `found ${type}`);
  if (type === 'float32' || type === 'auto') {
    if (codecShards === undefined) return undefined;
    throw misplaced('--codec-shards belongs to a lossy --codec', `found ${type}`);
  }
  const same = own?.type === type ? own : { type };
  return {
    ...same,
    ...(codecShards === undefined ? {} : { shards: codecShards }),
    ...(codecFeedback === undefined ? {} : { feedbackSteps: codecFeedback }),
  };
}

function feedbackOf(gradients: CodecSpec['gradients']): number | undefined {
  return gradients?.type === 'top-k' ? gradients.feedbackSteps : undefined;
}

function checkAuto({ codec, weightsCodec, lossy }: CodecSettings): void {
  if (codec === 'auto' && weightsCodec !== undefined)
    throw misplaced('--codec auto chooses that of the weights too', `found --weights-codec ${weightsCodec}`);
  if (lossy && codec !== 'auto')
    throw misplaced('--lossy belongs to --codec auto', `found --codec ${codec ?? 'float32'}`);
}

function misplaced(rule: string, found: string): GradwireError {
  return new GradwireError('OPTION_INVALID', `${rule}, ${found}`, { hint: 'Leave one of the two out.' });
}
