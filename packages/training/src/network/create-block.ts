import type { Block } from './block.ts';
import { createDropout } from './dropout.ts';
import type { Group } from './fuse.ts';
import { createPlainLayer } from './plain-layer.ts';
import { createAveragePooling, createGlobalAveragePooling } from './pooling.ts';
import { createAdd, createConcatenation, createReshape, onAxis } from './shape-blocks.ts';
import { createUnit } from './unit.ts';

/**
 * The block of a group.
 *
 * @param place - keys its random numbers: the position of its first layer in the network.
 */
export function createBlock({ work }: Group, place: number): Block {
  switch (work.type) {
    case 'unit':
      return work.norm?.axis === undefined ? createUnit(work) : onAxis(createUnit(work), work.norm.axis);
    case 'averagePooling2d':
      return createAveragePooling(work);
    case 'globalAveragePooling2d':
      return createGlobalAveragePooling();
    case 'dropout':
      return createDropout(work, place);
    case 'reshape':
      return createReshape(work.shape);
    case 'add':
      return createAdd();
    case 'concatenate':
      return createConcatenation(work.axis);
    case 'plain':
      return createPlainLayer(work, place);
  }
}
