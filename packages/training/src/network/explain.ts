import type { ModelSpec } from '@gradwire/models';
import { resolveLayers } from '@gradwire/models';
import type { Group } from './fuse.ts';
import { fitsOneKernel, fuse } from './fuse.ts';
import { graphOfSpec } from './graph-of-spec.ts';
import type { GraphLayer } from './operation.ts';

/** Layers that are computed together, and how. */
export interface BlockSummary {
  /** Names, in order. */
  readonly layers: readonly string[];
  /**
   * While training: `kernel`, one kernel of Gradwire's (on other backends than wasm several operations); `block`, several
   * operations with a hand-written backward pass; `plain`, as tfjs runs the layer, with gradients from its tape.
   */
  readonly path: 'kernel' | 'block' | 'plain';
}

/** What one layer costs. */
export interface LayerCost {
  readonly name: string;
  /** Of one sample. */
  readonly outputShape: readonly number[];
  /** Trained weights and statistics. */
  readonly parameters: number;
  /** In the forward pass of one sample: of its convolution or matrix product. */
  readonly multiplications: number;
}

/** A block with its layers in full. */
export interface ExplainedBlock extends Omit<BlockSummary, 'layers'> {
  readonly layers: readonly LayerCost[];
}

/**
 * How a network would be computed: which layers share a block, and what each costs. Needs no backend.
 *
 * @throws GradwireError `RECIPE_INVALID` if the layers do not fit together.
 */
export function explainNetwork(spec: ModelSpec): ExplainedBlock[] {
  const costs = new Map(costsOf(spec).map((cost) => [cost.name, cost]));
  return summariseBlocks(graphOfSpec(spec)).map(({ layers, path }) => ({
    path,
    layers: layers.map((name) => costs.get(name) as LayerCost),
  }));
}

/** The blocks that a graph's layers are joined into. */
export function summariseBlocks(layers: readonly GraphLayer[]): BlockSummary[] {
  return fuse(layers).map((group) => ({ layers: group.layers.map(({ name }) => name), path: pathOf(group) }));
}

function pathOf({ work }: Group): BlockSummary['path'] {
  if (work.type === 'plain') return 'plain';
  return work.type === 'unit' && !work.norm && fitsOneKernel(work) ? 'kernel' : 'block';
}

function costsOf(spec: ModelSpec): LayerCost[] {
  return resolveLayers(spec).map(({ name, outputShape, parameters }) => {
    const sizes = parameters.map(({ shape }) => sizeOf(shape));
    const kernel = parameters.findIndex(({ role }) => role === 'kernel');
    // Each position of the output multiplies every weight of the kernel once.
    const multiplications = (sizes[kernel] ?? 0) * sizeOf(outputShape.slice(0, -1));
    return { name, outputShape, parameters: sizes.reduce((a, b) => a + b, 0), multiplications };
  });
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}
