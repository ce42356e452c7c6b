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

/**
 * Sets them in this process. Before threads load the native backend, their main thread must call this: TensorFlow reads
 * the environment of the process, which a thread cannot change.
 */
export function setNativeEnvironment(): void {
  Object.assign(process.env, nativeEnvironment());
}
