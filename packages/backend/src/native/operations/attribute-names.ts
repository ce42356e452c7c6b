import type { TensorflowBackend } from './execute.ts';

/** Those of all operations that training uses, ours and tfjs's. */
const names = [
  'N T Tidx Tindices Tmultiples Tout Tparams Tpaddings Tperm Tshape DstT Index SrcT Taxis Truncate _kernel',
  'adj_x adj_y alpha axis batch_dims begin_mask data_format dilations ellipsis_mask end_mask epsilon',
  'explicit_paddings is_training keep_dims ksize new_axis_mask num num_split output_type padding rates',
  'shrink_axis_mask strides transpose_a transpose_b use_cudnn_on_gpu workspace_enabled',
].flatMap((line) => line.split(' '));

/**
 * Makes the names of attributes known to the compiled binding. It keeps them in one set for all threads of a process,
 * without a lock, so a new name must not arrive while another thread computes: the first thread brings them all.
 */
export function registerAttributeNames({ binding }: TensorflowBackend): void {
  const noted = names.map((name) => ({ name, type: binding.TF_ATTR_BOOL, value: false }));
  try {
    // Names are noted one after the other until the type that does not exist; then nothing is run.
    binding.executeOp('NoOp', [...noted, { name: 'T', type: -1, value: false }], [], 0);
  } catch {
    return;
  }
}
