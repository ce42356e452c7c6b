import type { TreeNode } from '@gradwire/engine';
import { isGroupNode } from '@gradwire/engine/arithmetic';
import { GradwireError } from '@gradwire/errors';
import { codecOf, type LeaseMessage, type PartialMessage, type VectorPart } from '@gradwire/protocol';

/** Error feedback: what the codes of a period's sums have left out, one residual for each group. */
export interface Residuals {
  /**
   * Adds the group's residual to its sum, in place, and keeps what the code of that leaves out. Throws MESSAGE_INVALID
   * if what the step before left out is not here.
   */
  code(
    lease: LeaseMessage,
    node: TreeNode,
    gradient: Float32Array,
  ): Pick<PartialMessage, 'gradient' | 'codec'>;
}

/** What is left of a group's sums up to a step. */
interface Residual {
  readonly version: number;
  readonly values: Float32Array;
}

/** @param exactParts What the code never leaves out: its residual is 0. */
export function createResiduals(exactParts: readonly VectorPart[]): Residuals {
  const kept = new Map<number, Residual>();
  return {
    code({ version, coding, feedback, leafCount }, node, gradient) {
      if (!coding || !feedback) return { gradient };
      const { since, isLast } = feedback;
      const last = kept.get(node.lo);
      if (version > since) {
        if (last?.version !== version - 1)
          throw misfit(version, node, 'what the step before left out is not here');
        for (let i = 0; i < gradient.length; i++) gradient[i]! += last.values[i]!;
      }
      kept.delete(node.lo);
      if (isLast) return { gradient };
      if (!isGroupNode(node, leafCount, coding.shards)) throw misfit(version, node, 'not a group');

      const codec = codecOf(coding, exactParts);
      const bytes = codec.encode(gradient);
      const sent = codec.decode(bytes, gradient.length);
      const values = last?.values ?? new Float32Array(gradient.length);
      for (let i = 0; i < values.length; i++) values[i] = gradient[i]! - sent[i]!;
      kept.set(node.lo, { version, values });
      return { gradient, codec: { ...codec, encode: () => bytes } };
    },
  };
}

function misfit(version: number, { lo, hi }: TreeNode, why: string): GradwireError {
  return new GradwireError(
    'MESSAGE_INVALID',
    `error feedback of [${lo}, ${hi}) at version ${version}: ${why}`,
  );
}
