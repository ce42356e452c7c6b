import type { VectorMath } from '@gradwire/engine';
import { plainVectors } from '@gradwire/engine/arithmetic';
import { copyIn, copyOut, forEachBlock } from './blocks.ts';
import { createChecksum } from './wasm-checksum.ts';
import { createInstance, type VectorModule } from './module.ts';
import { createAdam, createMomentum, updateSpan } from './wasm-updates.ts';

/** Arithmetic on flat vectors, block by block through the module's memory; an optimizer's state stays in there. */
export function createWasmVectors(compiled: VectorModule): VectorMath {
  const instance = createInstance(compiled, { count: 0, length: 0 });
  const { run, target, source, lanes } = instance;
  const checksum = createChecksum(instance);
  return {
    add(values, other) {
      forEachBlock(whole(values), (block, count) => {
        copyIn(target, values, block);
        copyIn(source, other, block);
        run.add(target.address, source.address, count);
        copyOut(target, values, block);
      });
    },
    scale(values, factor) {
      forEachBlock(whole(values), (block, count) => {
        copyIn(target, values, block);
        run.scale(target.address, count, factor);
        copyOut(target, values, block);
      });
    },
    isFinite(values) {
      let isFinite = true;
      forEachBlock(whole(values), (block, count) => {
        copyIn(source, values, block);
        if (!run.isFinite(source.address, count)) isFinite = false;
      });
      return isFinite;
    },
    average(gradient, weights, options) {
      const { samples, l2 } = options;
      // The module divides in float32, which is exact only by a number that float32 can hold.
      if (Math.fround(samples) !== samples) return plainVectors.average(gradient, weights, options);
      lanes.values.fill(0);
      forEachBlock(options, (block, count) => {
        copyIn(target, gradient, block);
        if (l2 !== 0) copyIn(source, weights, block);
        run.average(target.address, source.address, count, samples, l2, lanes.address);
        copyOut(target, gradient, block);
      });
      return addLanes(lanes.values);
    },
    checksum: (values) => checksum(values),
    examine(values) {
      lanes.values.fill(0);
      const found = checksum(values, (count) => run.addSquares(source.address, count, lanes.address));
      return { checksum: found, squares: addLanes(lanes.values) };
    },
    descend: (vectors, span, learningRate) =>
      updateSpan(instance, { ...vectors, span }, (_, count) =>
        run.descend(target.address, source.address, count, learningRate),
      ),
    createMomentum: (length) => createMomentum(compiled, length),
    createAdam: (length) => createAdam(compiled, length),
  };
}

function whole({ length }: Float32Array): { start: number; end: number } {
  return { start: 0, end: length };
}

function addLanes([a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0]: Float64Array): number {
  return a + b + (c + d) + (e + f + (g + h));
}
