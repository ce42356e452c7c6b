export { featureStatistics } from './features/statistics.ts';
export { createFeatureTransform } from './features/transform.ts';
export { answerNames, binaryRows, decodeProbabilities } from './labels/decode.ts';
export { oneHot, targets } from './labels/targets.ts';
export type { StatisticsSource } from './features/statistics.ts';
export type { FeatureTransform } from './features/transform.ts';
export type { DecodedLabel } from './labels/decode.ts';
export type { TargetSpec } from './labels/targets.ts';
export type { FeatureSpec, FeatureStatistics } from './specs.ts';
