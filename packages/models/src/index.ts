export { layersModelArtifacts } from './layers-model/artifacts.ts';
export { initialWeights } from './network/initial-weights.ts';
export {
  logisticRegression,
  mlp,
  mnistCnn,
  mnistCnnSmall,
  mnistDeep,
  mnistFast,
  mnistSeparable,
  withOutputs,
} from './network/networks.ts';
export { parameterLayout } from './network/parameter-layout.ts';
export { resolveLayers } from './network/resolve-layers.ts';
export { validateModelSpec } from './network/validate-model-spec.ts';
export { lossSum, probabilities } from './task/loss.ts';
export { actualAnswers, confusionCounts, countCorrect, predictedAnswers } from './task/metrics.ts';
export { answerCount, outputActivation, outputUnits } from './task/outputs.ts';
export type { ArtifactOptions, LayersModelArtifacts, WeightSpec } from './layers-model/artifacts.ts';
export type { CompleteLayer, ResolvedLayer } from './network/resolve-layers.ts';
export type { LayerSpec, ModelSpec, TaskSpec } from './specs.ts';
export type { LossArrays } from './task/loss.ts';
