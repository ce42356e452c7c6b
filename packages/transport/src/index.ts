export { createAccess } from './access.ts';
export { backoff } from './backoff.ts';
export { createChannelServer } from './channel-server.ts';
export { parseChannelUrl } from './channel-url.ts';
export { connectChannel } from './connect-channel.ts';
export { isSilence } from './connect-errors.ts';
export { createCoordinatorClient } from './coordinator-client.ts';
export { httpServerOptions } from './http-server-options.ts';
export { createPair } from './pair.ts';
export { proofHeader } from './proof.ts';
export { refuseEverything, refuseRequest } from './refuse-upgrade.ts';
export { createToken, observerToken, parseJoinSecret } from './token.ts';
export { freeYoungGarbage } from './young-garbage.ts';
export type { Access, AccessOptions, Granted } from './access.ts';
export type { Backoff, BackoffOptions } from './backoff.ts';
export type { Channel, ChannelClosed } from './channel.ts';
export type { ChannelServer, ChannelServerLimits, ChannelServerOptions } from './channel-server.ts';
export type { ChannelAddress } from './channel-url.ts';
export type { ChannelClientLimits, ConnectOptions } from './connect-channel.ts';
export type {
  CoordinatorClient,
  CoordinatorClientOptions,
  CoordinatorRequest,
} from './coordinator-client.ts';
export type { Frame } from './frame.ts';
export type { ConnectionLimits } from './connection-caps.ts';
export type { UnreadLimits } from './frame-queue.ts';
export type { HeartbeatOptions } from './heartbeat.ts';
export type { PairOptions } from './pair.ts';
export type { Refusal } from './refuse-upgrade.ts';
export type { Role } from './role.ts';
export type { JoinSecret } from './token.ts';
export type { ChannelLimits } from './web-socket-channel.ts';
