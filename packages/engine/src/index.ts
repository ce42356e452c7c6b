export { averageGradient } from './gradients/average.ts';
export { parameterAt, statisticParameters } from './layout.ts';
export { createOptimizer } from './optimizers/create-optimizer.ts';
export { createCatchUp } from './run/catch-up.ts';
export { createEngine } from './run/engine.ts';
export { feedbackOf, type FeedbackPlace } from './run/feedback.ts';
export { roundAfter } from './run/sequence.ts';
export { learningRateAt } from './schedules/learning-rate.ts';
export { addSums } from './tree/sums.ts';
export { createTreeSum } from './tree/tree-sum.ts';
export { isGroupNode, isTreeNode, treeCover, treeMid, treeParent } from './tree/tree.ts';
export { plainVectors } from './vectors/plain-vectors.ts';
export type {
  Contribution,
  EngineEffect,
  EngineEvent,
  EnginePlan,
  EvaluationRecord,
  GradientCoding,
  Incident,
  PartialSum,
  Round,
  RunError,
  StepContributions,
  StepRecord,
  WorkerId,
} from './events.ts';
export type { AverageOptions } from './gradients/average.ts';
export type { Parameter, ParameterLayout } from './layout.ts';
export type { Optimizer, OptimizerOptions } from './optimizers/optimizer.ts';
export type { CatchUp, LeasePlace, WeightedWork } from './run/catch-up.ts';
export type { Engine, EngineOptions } from './run/engine.ts';
export { initialState, stepsIn } from './run/run-state.ts';
export type { RunState } from './run/run-state.ts';
export type { Verification } from './run/state.ts';
export type { CheckStatus, EngineStatus, OutstandingLeaf, WorkerStatus } from './run/status.ts';
export type { Contributed } from './run/trust.ts';
export type { SchedulePosition } from './schedules/learning-rate.ts';
export type { AdamSpec, OptimizerSpec, ScheduleSpec, SgdSpec } from './specs.ts';
export type { Sums } from './tree/sums.ts';
export type { SummedNode, TreeSum } from './tree/tree-sum.ts';
export type { TreeNode } from './tree/tree.ts';
export type {
  AdamCoefficients,
  MomentumCoefficients,
  Span,
  UpdateRule,
  UpdateVectors,
  VectorMath,
} from './vectors/vector-math.ts';
