/**
 * Environment variables that TensorFlow's library reads when it is loaded: one thread for an operation, one
 * operation at a time, and no banner. Several threads would change the order of sums, and so the bits.
 */
export function nativeEnvironment(): Record<string, string> {
  return {
    TF_NUM_INTRAOP_THREADS: '1',
    TF_NUM_INTEROP_THREADS: '1',
    OMP_NUM_THREADS: '1',
    TF_CPP_MIN_LOG_LEVEL: process.env['TF_CPP_MIN_LOG_LEVEL'] ?? '2',
  };
}
