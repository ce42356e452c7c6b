import type { Activation, BatchNormalization, GraphLayer, Operation, OperationOf } from './operation.ts';

/** A linear map, batch normalisation, max-pooling and activation, in this order; each but the last may be absent. */
export interface Unit {
  readonly type: 'unit';
  readonly map?: OperationOf<'conv2d' | 'depthwiseConv2d' | 'dense'>;
  readonly norm?: BatchNormalization;
  readonly pooling?: OperationOf<'maxPooling2d'>;
  readonly activation: Activation;
}

/** What a group computes: the layers of a unit, or one layer of another kind. */
export type Work = Unit | Exclude<Operation, { readonly type: UnitType }>;

/** Neighbouring layers that are computed together. */
export interface Group {
  /** In order; the last one's output is the group's. */
  readonly layers: readonly GraphLayer[];
  readonly work: Work;
  /** Positions of the groups that it reads; -1 is the batch. */
  readonly inputs: readonly number[];
  /** As of its layers, one after the other. */
  readonly tensors: readonly number[];
}

/**
 * Joins layers into groups: a convolution, depthwise convolution or dense layer takes in the batch normalisation,
 * activation and max-pooling behind it, as long as nobody else reads what lies between. Layers must come after those that they read.
 */
export function fuse(layers: readonly GraphLayer[]): Group[] {
  const readers = readersOf(layers);
  const groups: Group[] = [];
  const groupOf = new Map([[-1, -1]]);
  for (const [position, layer] of layers.entries()) {
    if (groupOf.has(position)) continue;
    let work: Work = startWork(layer.operation);
    let last = position;
    const members = [layer];
    for (;;) {
      const [next, ...others] = readers[last] as number[];
      const follower = next === undefined || others.length > 0 ? undefined : layers[next];
      const longer = follower && work.type === 'unit' && extendUnit(work, follower.operation);
      if (!longer) break;
      work = longer;
      last = next as number;
      members.push(follower);
    }
    for (const member of members) groupOf.set(layers.indexOf(member), groups.length);
    const inputs = layer.inputs.map((input) => groupOf.get(input) as number);
    groups.push({ layers: members, work, inputs, tensors: members.flatMap(({ tensors }) => tensors) });
  }
  return groups;
}

function readersOf(layers: readonly GraphLayer[]): number[][] {
  const readers: number[][] = layers.map(() => []);
  for (const [position, { inputs }] of layers.entries()) {
    for (const input of inputs) readers[input]?.push(position);
  }
  return readers;
}

type UnitType = 'conv2d' | 'depthwiseConv2d' | 'dense' | 'batchNormalization' | 'maxPooling2d' | 'activation';

const empty: Unit = { type: 'unit', activation: 'linear' };

function startWork(operation: Operation): Work {
  switch (operation.type) {
    case 'conv2d':
    case 'depthwiseConv2d':
    case 'dense':
      return { ...empty, map: operation, activation: operation.activation };
    case 'batchNormalization':
      return { ...empty, norm: operation };
    case 'maxPooling2d':
      return { ...empty, pooling: operation };
    case 'activation':
      return { ...empty, activation: operation.activation };
    default:
      return operation;
  }
}

/** The unit with one more layer behind it, if that is still a unit. */
function extendUnit(unit: Unit, operation: Operation): Unit | undefined {
  const { norm, pooling, activation } = unit;
  const isNormAlone = norm?.axis !== undefined;
  switch (operation.type) {
    case 'batchNormalization': {
      const fits = !norm && !pooling && activation === 'linear' && operation.axis === undefined;
      return fits ? { ...unit, norm: operation } : undefined;
    }
    case 'maxPooling2d':
      return pooling || isNormAlone || !commutesWithPooling.has(activation)
        ? undefined
        : { ...unit, pooling: operation };
    case 'activation':
      return activation === 'linear' && !isNormAlone
        ? { ...unit, activation: operation.activation }
        : undefined;
    default:
      return undefined;
  }
}

/**
 * They keep the order of numbers, so that pooling first gives the same values, and where they make numbers equal their
 * slope is zero, so that it gives the same gradients too.
 */
const commutesWithPooling: ReadonlySet<Activation> = new Set(['linear', 'relu', 'relu6']);

/** Is there one kernel for the whole unit? If it has batch normalisation: where that is folded into kernel and bias. */
export function fitsOneKernel({ map, pooling, activation }: Unit): boolean {
  if (map?.type !== 'conv2d' || !pooling || (activation !== 'linear' && activation !== 'relu')) return false;
  return (
    [...pooling.window, ...pooling.strides].every((side) => side === 2) && map.strides[0] === map.strides[1]
  );
}
