export { cleanLine } from './clean-text.ts';
export { closeCodes, describeCloseCode } from './close-codes.ts';
export { createTopK } from './codecs/top-k.ts';
export { codecOf, vectorCodecs } from './codecs/vector-codecs.ts';
export { decodeMessage } from './decode-message.ts';
export { encodeMessage, encodePieces } from './encode-message.ts';
export { maxParameters, messageLimits } from './limits.ts';
export { scanHeader } from './scan-header.ts';
export { protocolVersion } from './version.ts';
export type { CloseCode, CloseCodeName } from './close-codes.ts';
export type { MessageLimits, MessageLimitsOptions } from './limits.ts';
export type { VectorPart } from './codecs/keep-exact.ts';
export type { ByteSizes, CodecName, VectorCodec } from './codecs/vector-codec.ts';
export type {
  CoordinatorMessage,
  EndMessage,
  FailedMessage,
  Feedback,
  GradientCoding,
  HelloMessage,
  LeaseMessage,
  LeaveMessage,
  Message,
  PartialMessage,
  PreparedMessage,
  PrepareMessage,
  ReadyMessage,
  RoundTask,
  WeightsMessage,
  WelcomeMessage,
  WorkerMessage,
} from './messages.ts';
export type { ScanLimits } from './scan-header.ts';
