import type { Parameter, ParameterLayout } from '@gradwire/engine';
import { GradwireError } from '@gradwire/errors';
import type { TaskSpec } from '@gradwire/models';
import { outputActivation, outputUnits } from '@gradwire/models';
import type { LayersModel, LayerVariable } from '@tensorflow/tfjs-layers';
import { isFrozen, operationOfLayer, plainOperation, weightOf } from './operation-of-layer.ts';
import type { GraphLayer, Operation } from './operation.ts';
import { impure, makesMask } from './plain-layer.ts';
import type { TracedLayer } from './trace-model.ts';
import { leafLayers, traceModel } from './trace-model.ts';

/** A LayersModel as a graph. */
export interface ModelGraph {
  readonly layers: readonly GraphLayer[];
  readonly layout: ParameterLayout;
  /** What the positions in a layer's `tensors` count: first those of the layout, then constants. */
  readonly variables: readonly LayerVariable[];
}

/**
 * Reads a model (sequential or functional) up to its logits: a softmax or sigmoid at its end belongs to the task.
 *
 * @throws GradwireError `RECIPE_INVALID` if the model does not fit the task, or a layer keeps a state.
 */
export function graphOfModel(model: LayersModel, task: TaskSpec): ModelGraph {
  checkEnds(model, task);
  const traced = traceModel(model);
  const trained = new Map(trainedVariables(model));
  const isTrained = (weight: LayerVariable): boolean => trained.get(weight)?.role !== undefined;
  const variables = [...trained.keys()];
  const hasMasks = traced.some(({ layer }) => makesMask(layer));
  const layers = traced.map((source, position) => {
    const isHead = position === traced.length - 1;
    if (source.layer.stateful) throw impure(source.layer, 'keeps a state');
    const context = { isTrained, ...(isHead ? { headActivation: outputActivation(task) } : {}) };
    const read = hasMasks && !isHead ? plainOperation : operationOfLayer;
    const { operation, weights } = read(source, context);
    if (isHead) checkHead(source, operation, task);
    for (const weight of weights) if (!variables.includes(weight)) variables.push(weight);
    const tensors = weights.map((weight) => variables.indexOf(weight));
    return {
      name: source.layer.name,
      operation: withUses(operation, source, traced),
      inputs: source.inputs,
      tensors,
    };
  });
  return { layers, layout: layoutOf(trained), variables };
}

type Trained = Pick<Parameter, 'role' | 'momentum'>;

/** Layer by layer, as tfjs orders them: its trained weights, then the moving averages of a batch normalisation. */
function* trainedVariables(model: LayersModel): Generator<[LayerVariable, Trained]> {
  const trainable = new Set(model.trainableWeights);
  for (const layer of leafLayers(model)) {
    for (const weight of layer.trainableWeights) {
      if (trainable.has(weight)) yield [weight, { role: weight.shape.length > 1 ? 'kernel' : 'bias' }];
    }
    if (layer.getClassName() !== 'BatchNormalization' || isFrozen(layer, (weight) => trainable.has(weight)))
      continue;
    const momentum = layer.getConfig()['momentum'] as number;
    for (const name of ['moving_mean', 'moving_variance']) {
      const weight = weightOf(layer, name);
      if (weight) yield [weight, { role: 'statistic', momentum }];
    }
  }
}

function layoutOf(trained: ReadonlyMap<LayerVariable, Trained>): ParameterLayout {
  let end = 0;
  const parameters = [...trained].map(([{ originalName, shape }, kind]) => {
    const size = shape.reduce<number>((product, side) => product * (side ?? 1), 1);
    const offset = end;
    end += size;
    return { name: originalName, shape: shape as number[], offset, size, ...kind };
  });
  return { parameters, size: end };
}

/** Statistics of a batch normalisation that is applied several times are the mean over these. */
function withUses(operation: Operation, { layer }: TracedLayer, traced: readonly TracedLayer[]): Operation {
  if (operation.type !== 'batchNormalization') return operation;
  return { ...operation, uses: traced.filter((other) => other.layer === layer).length };
}

function checkEnds({ inputs, outputs }: LayersModel, task: TaskSpec): void {
  for (const [name, ends] of Object.entries({ inputs, outputs })) {
    if (ends.length !== 1) throw misfit(`${name}: expected one tensor, found ${ends.length}`);
  }
  const shape = outputs[0]?.shape.slice(1) ?? [];
  const units = outputUnits(task);
  if (shape.length !== 1 || shape[0] !== units) {
    throw misfit(
      `outputs: expected shape [${units}] for this ${task.type} task, found [${shape.join(', ')}]`,
    );
  }
  const open = inputs[0]?.shape.slice(1).findIndex((side) => side === null) ?? -1;
  if (open >= 0) throw misfit(`inputs: expected known sides, found none for axis ${open + 1}`);
}

function checkHead({ layer }: TracedLayer, operation: Operation, task: TaskSpec): void {
  const found =
    operation.type === 'plain'
      ? layer.getConfig()['activation']
      : 'activation' in operation && operation.activation;
  if (!found || found === 'linear') return;
  throw misfit(
    `layer ${layer.name}: expected activation linear or ${outputActivation(task)} at the end for this ${task.type} task, found ${found}`,
  );
}

function misfit(message: string): GradwireError {
  return new GradwireError('RECIPE_INVALID', `model: ${message}`, {
    hint: 'Give a model with one input and one output, which ends in logits or in the activation of the task.',
  });
}
