export { installNative } from './native/install-native.ts';
export { setNativeEnvironment } from './native/native-environment.ts';
export { prepareBackend, probeBackends } from './prepare-backend.ts';
export type { InstallEvent, InstallNativeOptions } from './native/install-native.ts';
export type { BackendChoice, BackendProbe } from './prepare-backend.ts';
export type { PreparedBackend } from './prepared-backend.ts';
