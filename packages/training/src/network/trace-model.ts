import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { TfjsLayer } from './operation.ts';

/** One application of a layer inside a model. */
export interface TracedLayer {
  readonly layer: TfjsLayer;
  /** Positions of the traced layers that it reads; -1 is the batch. */
  readonly inputs: readonly number[];
  /** Without the samples' axis; null where the model leaves a side open. */
  readonly inputShapes: readonly (readonly (number | null)[])[];
  readonly outputShape: readonly (number | null)[];
  /** Which of the layer's outputs is read: a layer whose outputs are read one by one is traced as often. */
  readonly output: number;
}

/** The layers of a model in the order in which they can run; models used as layers are taken apart. */
export function traceModel(model: LayersModel): TracedLayer[] {
  const traced: TracedLayer[] = [];
  const trace = (symbolic: SymbolicTensor, known: Map<number, number>): number => {
    const place = known.get(symbolic.id) ?? traceSource(symbolic, known);
    known.set(symbolic.id, place);
    return place;
  };
  const traceSource = (symbolic: SymbolicTensor, known: Map<number, number>): number => {
    const { sourceLayer: layer, tensorIndex: output } = symbolic;
    const symbolicInputs = layer.inboundNodes[symbolic.nodeIndex]?.inputTensors ?? [];
    const inputs = symbolicInputs.map((input) => trace(input, known));
    if (isModel(layer)) return traceInside(layer, inputs, output);
    const inputShapes = symbolicInputs.map(({ shape }) => shape.slice(1));
    traced.push({ layer, inputs, inputShapes, outputShape: symbolic.shape.slice(1), output });
    return traced.length - 1;
  };
  const traceInside = (inner: LayersModel, inputs: readonly number[], output: number): number => {
    const known = new Map(inner.inputs.map(({ id }, i) => [id, inputs[i] as number]));
    return trace(inner.outputs[output] as SymbolicTensor, known);
  };
  traceInside(model, [-1], 0);
  return traced;
}

/** The layers of a model that are no models, in the order of its weights, each once. */
export function leafLayers(model: LayersModel): TfjsLayer[] {
  return [...new Set(model.layers.flatMap((layer) => (isModel(layer) ? leafLayers(layer) : [layer])))];
}

function isModel(layer: TfjsLayer): layer is LayersModel {
  return 'layers' in layer && 'inputs' in layer && 'outputs' in layer;
}
