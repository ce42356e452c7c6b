/** One named tensor inside a flat weight or gradient vector. */
export interface Parameter {
  /** Unique, for example `conv2d_1/kernel`. */
  readonly name: string;
  readonly shape: readonly number[];
  /** First element, counted in elements from the start of the vector. */
  readonly offset: number;
  /** Number of elements: the product of `shape`. */
  readonly size: number;
  /** L2 and weight decay act on kernels only; a `statistic` is not trained but averaged, see `takeStatistics`. */
  readonly role: 'kernel' | 'bias' | 'statistic';
  /** Of a statistic: the share that it keeps at each step, in [0, 1). */
  readonly momentum?: number;
}

/** How a flat `Float32Array` of weights or gradients is divided into tensors, contiguous and in order. */
export interface ParameterLayout {
  readonly parameters: readonly Parameter[];
  /** Elements in the whole vector. */
  readonly size: number;
}

/** Neighbouring parameters of one role, as the elements from `start` up to, not including, `end`. */
export interface LayoutRun {
  readonly role: Parameter['role'];
  readonly start: number;
  readonly end: number;
}

/** The fewest runs that hold all parameters, in order: what arithmetic on the flat vector goes through. */
export function runsOf({ parameters }: ParameterLayout): LayoutRun[] {
  const runs: LayoutRun[] = [];
  for (const { offset, size, role } of parameters) {
    const last = runs.at(-1);
    const start = last?.role === role ? last.start : offset;
    if (last?.role === role) runs.pop();
    if (offset + size > start) runs.push({ role, start, end: offset + size });
  }
  return runs;
}

/** The parameters that are averaged instead of trained, in order. */
export function statisticParameters({ parameters }: ParameterLayout): Parameter[] {
  return parameters.filter(({ role }) => role === 'statistic');
}

/** The tensor that holds element `index` of the flat vector. */
export function parameterAt(layout: ParameterLayout, index: number): Parameter {
  const found = layout.parameters.find(({ offset, size }) => index >= offset && index < offset + size);
  if (!found) throw new RangeError(`index ${index} is outside the layout of ${layout.size} elements`);
  return found;
}

/** Throws a `RangeError` unless the parameters follow one another without gap or overlap and fill the layout; a statistic needs its momentum. */
export function checkLayout(layout: ParameterLayout): void {
  let end = 0;
  for (const { name, offset, size, role, momentum } of layout.parameters) {
    if (role === 'statistic' && !(momentum !== undefined && momentum >= 0 && momentum < 1)) {
      throw new RangeError(`layout: ${name} has momentum ${momentum}, expected a number from 0 to below 1`);
    }
    if (offset !== end || !Number.isInteger(size) || size < 0) {
      throw new RangeError(
        `layout: ${name} takes ${size} elements at ${offset}, expected to start at ${end}`,
      );
    }
    end += size;
  }
  if (end !== layout.size) throw new RangeError(`layout: parameters fill ${end} of ${layout.size} elements`);
}
