import type { ParameterLayout } from '@gradwire/engine';
import type { LayersModelArtifacts, TaskSpec } from '@gradwire/models';
import { initialWeights, layersModelArtifacts, parameterLayout, validateModelSpec } from '@gradwire/models';
import type { Recipe } from '@gradwire/recipes';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { BlockSummary } from '../network/explain.ts';
import { summariseBlocks } from '../network/explain.ts';
import { graphOfModel } from '../network/graph-of-model.ts';
import { graphOfSpec } from '../network/graph-of-spec.ts';
import type { Network } from '../network/network.ts';
import { createNetwork } from '../network/network.ts';
import { createModelWeights, modelArtifacts } from './model-weights.ts';
import type { WeightTensors } from './weight-tensors.ts';
import { createWeightTensors } from './weight-tensors.ts';

/** The parts of a recipe that decide what a trainer computes. */
export type TrainedRecipe = Pick<Recipe, 'model' | 'task' | 'seed'>;

/** A model of tfjs, and what it learns. */
export interface TrainedModel {
  /** With one input and one output; it must live as long as the trainer, which keeps its weights in it. */
  readonly model: LayersModel;
  readonly task: TaskSpec;
  /** Of dropout: 32-bit unsigned. */
  readonly seed: number;
}

/** What a trainer works with, wherever its network comes from. */
export interface TrainerParts {
  readonly task: TaskSpec;
  readonly seed: number;
  readonly inputShape: readonly number[];
  readonly layout: ParameterLayout;
  readonly blocks: readonly BlockSummary[];
  readonly network: Network;
  readonly weights: WeightTensors;
  initialWeights(): Float32Array;
  modelArtifacts(): LayersModelArtifacts;
}

/** Of a network as plain data. */
export function partsOfRecipe({ model, task, seed }: TrainedRecipe): TrainerParts {
  validateModelSpec(model, task);
  const layout = parameterLayout(model);
  const layers = graphOfSpec(model);
  const weights = createWeightTensors(layout);
  return {
    task,
    seed,
    inputShape: model.inputShape,
    layout,
    blocks: summariseBlocks(layers),
    network: createNetwork(layers, layout.parameters.length),
    weights,
    initialWeights: () => initialWeights(model, seed),
    modelArtifacts: () => layersModelArtifacts({ spec: model, task }, weights.flat()),
  };
}

/** Of a model of tfjs. */
export function partsOfModel({ model, task, seed }: TrainedModel): TrainerParts {
  const { layers, layout, variables } = graphOfModel(model, task);
  const weights = createModelWeights(layout, variables);
  return {
    task,
    seed,
    inputShape: model.inputs[0]?.shape.slice(1) as number[],
    layout,
    blocks: summariseBlocks(layers),
    network: createNetwork(layers, layout.parameters.length),
    weights,
    initialWeights: () => weights.flat(),
    modelArtifacts: () => modelArtifacts(model),
  };
}
