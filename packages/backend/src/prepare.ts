// `@gradwire/backend/prepare`: what a compute thread and its process need, without the installation of native.
export { setNativeEnvironment } from './native/native-environment.ts';
export { backendName, prepareBackend } from './prepare-backend.ts';
