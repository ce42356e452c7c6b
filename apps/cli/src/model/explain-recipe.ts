import type { Recipe } from '@gradwire/recipes';
import type { ExplainedBlock } from '@gradwire/training/explain';
import { explainNetwork } from '@gradwire/training/explain';
import { formatTable } from '../output/table.ts';
import { count, shapeText } from './describe-recipe.ts';

/** How a recipe's network is computed. */
export interface Explanation {
  readonly parameters: number;
  /** In the forward pass of one sample. */
  readonly multiplications: number;
  readonly blocks: readonly ExplainedBlock[];
}

/** Which layers share a block, and what each costs. */
export function explainRecipe({ model }: Recipe): Explanation {
  const blocks = explainNetwork(model);
  const layers = blocks.flatMap((block) => block.layers);
  const total = (key: 'parameters' | 'multiplications'): number =>
    layers.reduce((sum, layer) => sum + layer[key], 0);
  return { parameters: total('parameters'), multiplications: total('multiplications'), blocks };
}

/** The same as a table for people. */
export function explanationText({ name, model }: Recipe, explanation: Explanation): string {
  const rows = explanation.blocks.flatMap(({ layers, path }, block) =>
    layers.map((layer, i) => [
      i === 0 ? String(block + 1) : '',
      layer.name,
      shapeText(layer.outputShape),
      optionalCount(layer.parameters),
      optionalCount(layer.multiplications),
      i === 0 ? path : '',
    ]),
  );
  const table = formatTable(
    [
      ['block', 'layer', 'output', 'parameters', 'multiplications', 'path'],
      ['', 'input', shapeText(model.inputShape), '', '', ''],
      ...rows,
      ['', 'total', '', count(explanation.parameters), count(explanation.multiplications), ''],
    ],
    { right: [0, 3, 4] },
  );
  const paths = new Set(explanation.blocks.map(({ path }) => path));
  const notes = Object.entries(pathNotes).filter(([path]) => paths.has(path as keyof typeof pathNotes));
  return [
    name,
    '',
    ...table,
    '',
    '  Multiplications: of one sample, forward.',
    ...notes.map(([path, note]) => `  ${path}: ${note}`),
  ].join('\n');
}

const pathNotes = {
  kernel: 'one kernel for all its layers (backend wasm), and one for its gradients.',
  block: 'several operations, with a backward pass written for the block.',
  plain: 'as TensorFlow.js runs the layer, with gradients from its tape.',
} satisfies Record<ExplainedBlock['path'], string>;

function optionalCount(value: number): string {
  return value === 0 ? '' : count(value);
}
