export { explainNetwork } from './network/explain.ts';
export type { BlockSummary, ExplainedBlock, LayerCost } from './network/explain.ts';
