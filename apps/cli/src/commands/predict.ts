import { Command } from 'commander';
import { GradwireError } from '@gradwire/errors';
import { binaryRows, type DecodedLabel, decodeProbabilities } from '@gradwire/preprocess';
import { type DigitImage, toDigitImage } from '../images/digit-image.ts';
import { readPicture } from '../images/read-picture.ts';
import { type OpenModel, openModel } from '../model/open-model.ts';
import { commonOptions, options } from '../settings/options.ts';
import { prepareSettings } from '../settings/prepare-settings.ts';
import type { CommandContext } from './command.ts';

interface PredictSettings {
  readonly backend: 'auto' | 'wasm' | 'native';
  readonly json?: boolean;
}

const topAnswers = 3;

/** `gradwire predict`. */
export function predictCommand(context: CommandContext): Command {
  const command = new Command('predict')
    .description('Say what is on PNG pictures, with a trained model.')
    .argument('<model>', 'a run folder, its model folder, or runs/latest')
    .argument('<image...>', 'PNG files: grey or colour, of any size')
    .addOption(options.backend())
    .addHelpText('after', details);
  for (const option of Object.values(commonOptions)) command.addOption(option());
  return command.action(async (model: string, images: string[]) => {
    const settings = await prepareSettings<PredictSettings>(command, context);
    if (settings !== undefined) await predict({ ...settings, model, images }, context);
  });
}

async function predict(
  { model, images, backend, json }: PredictSettings & { model: string; images: string[] },
  context: CommandContext,
): Promise<void> {
  const { console } = context;
  const open = await openModel(model, backend);
  const show = (predictions: readonly Prediction[]): void => {
    if (json) console.json({ model: open.stored.directory, predictions });
    else for (const line of predictionLines(predictions)) console.print(line);
  };
  try {
    const size = pictureSize(open);
    const predictions: Prediction[] = [];
    const failures: GradwireError[] = [];
    for (const image of images) {
      try {
        const digit = toDigitImage(await readPicture(image), size);
        sayWhatWasDone(image, digit, context);
        predictions.push(predictOne(open, image, digit));
      } catch (error) {
        if (!(error instanceof GradwireError)) throw error;
        failures.push(error);
      }
      if (context.signal.aborted) return;
    }
    if (predictions.length > 0) show(predictions);
    const last = failures.pop();
    for (const { message } of failures) console.say(message);
    if (last) throw last;
  } finally {
    open.trainer.dispose();
  }
}

interface Prediction {
  readonly image: string;
  readonly label: string;
  readonly probability: number;
  /** Most probable first. */
  readonly top: readonly Pick<DecodedLabel, 'label' | 'probability'>[];
}

/** The network's input as a picture. Throws OPTION_INVALID if it takes something else. */
function pictureSize({ recipe, stored }: OpenModel): { height: number; width: number } {
  const [height, width, channels, ...more] = recipe.model.inputShape;
  if (height !== undefined && width !== undefined && channels === 1 && more.length === 0)
    return { height, width };
  const found = recipe.model.inputShape.join(' x ');
  throw new GradwireError(
    'OPTION_INVALID',
    `${stored.directory}: expected a model of grey pictures, found input ${found}`,
    {
      hint: 'gradwire predict works with models whose input is height x width x 1.',
    },
  );
}

function sayWhatWasDone(image: string, { inverted, blank }: DigitImage, { console }: CommandContext): void {
  if (blank) console.say(`${image}: has one shade only, so the answer means nothing.`);
  else if (inverted)
    console.say(`${image}: dark on light, turned round (the model knows light digits on dark ground).`);
}

function predictOne(
  { recipe, trainer, batcher, answers }: OpenModel,
  image: string,
  { pixels }: DigitImage,
): Prediction {
  const { features } = batcher({ features: pixels, labels: new Uint8Array(1) });
  const probabilities = trainer.predict(features, 1);
  const rows = recipe.task.type === 'binary' ? binaryRows(probabilities) : probabilities;
  const [decoded = []] = decodeProbabilities(rows, answers, { top: topAnswers });
  const top = decoded.map(({ label, probability }) => ({ label, probability }));
  const [{ label, probability } = { label: '', probability: 0 }] = top;
  return { image, label, probability, top };
}

function predictionLines(predictions: readonly Prediction[]): string[] {
  const width = Math.max(...predictions.map(({ image }) => image.length));
  return predictions.map(({ image, top }) => {
    const [first = '', ...others] = top.map(({ label, probability }) => `${label} ${percent(probability)}`);
    return `${image.padEnd(width)}  ${first}${others.length > 0 ? `   (then ${others.join(', ')})` : ''}`;
  });
}

function percent(probability: number): string {
  return `${(probability * 100).toFixed(1)} %`;
}

const details = `
The model knows light digits on dark ground, 28 x 28 pixels. Pictures that are dark on light are turned round (told by
their border, and said on stderr). Unless a picture is 28 x 28 already, the digit is cut out, scaled to 20 pixels
(aspect ratio kept) and centred by its centre of mass, as in MNIST. Transparent parts count as white, or as black if a
light drawing lies on nothing.

Examples:
  gradwire predict runs/latest digit.png
  gradwire predict runs/0003-mnist-cnn/model a.png b.png --json`;
