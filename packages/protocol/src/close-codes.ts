/** One reason to end a connection. */
export interface CloseCode {
  /** WebSocket close code, 4000 to 4999: the range for applications (RFC 6455, section 7.4.2). */
  readonly code: number;
  /** One sentence for people. */
  readonly sentence: string;
  /** Whether the worker should try again by itself. */
  readonly reconnect: boolean;
}

/** Every code with which one side ends a connection on purpose. */
export const closeCodes = {
  goodbye: {
    code: 4000,
    sentence: 'The worker leaves on purpose; its unfinished leases are handed back.',
    reconnect: false,
  },
  runEnded: { code: 4001, sentence: 'The run has ended.', reconnect: false },
  stopping: {
    code: 4002,
    sentence: 'The coordinator stops for now; the run may be resumed.',
    reconnect: true,
  },
  connectionLost: {
    code: 4003,
    sentence: 'The worker cannot fetch its data over this connection and will connect again.',
    reconnect: true,
  },
  helloTimeout: {
    code: 4010,
    sentence: 'The first message did not arrive in time after the upgrade.',
    reconnect: true,
  },
  invalidMessage: {
    code: 4011,
    sentence: 'A message broke the protocol: wrong size, wrong shape or wrong value.',
    reconnect: false,
  },
  unexpectedMessage: {
    code: 4012,
    sentence: 'A valid message came at a moment at which it makes no sense.',
    reconnect: false,
  },
  silence: { code: 4013, sentence: 'Nothing was heard from the other side for too long.', reconnect: true },
  congestion: {
    code: 4014,
    sentence: 'The other side reads too slowly: too many bytes wait to be sent.',
    reconnect: true,
  },
  damaged: {
    code: 4015,
    sentence: 'A frame was damaged on its way: it does not fit its checksum.',
    reconnect: true,
  },
  versionMismatch: {
    code: 4020,
    sentence: 'The two sides speak different protocol versions.',
    reconnect: false,
  },
  recipeMismatch: {
    code: 4021,
    sentence: 'The two sides hold different recipes under one name.',
    reconnect: false,
  },
  numericsMismatch: {
    code: 4022,
    sentence: 'The worker computes other bits than the workers of this run.',
    reconnect: false,
  },
  workerFailed: {
    code: 4030,
    sentence: 'The worker reported that it cannot compute a lease.',
    reconnect: false,
  },
  expelled: {
    code: 4031,
    sentence: 'The worker contributed something that is not acceptable.',
    reconnect: false,
  },
  wrongNumbers: {
    code: 4032,
    sentence: 'The worker computed other numbers than most workers of its numerics class.',
    reconnect: false,
  },
  internal: { code: 4099, sentence: 'A defect of Gradwire itself ended the connection.', reconnect: true },
} as const;

/** A key of {@link closeCodes}. */
export type CloseCodeName = keyof typeof closeCodes;

/** What RFC 6455 (section 7.4.1) and the WebSocket library say with their own codes. */
const standardCodes: Readonly<Record<number, Omit<CloseCode, 'code'>>> = {
  1000: { sentence: 'The connection ended normally.', reconnect: true },
  1001: { sentence: 'The other side is going away.', reconnect: true },
  1002: { sentence: 'The other side found a WebSocket protocol error.', reconnect: false },
  1003: { sentence: 'The other side accepts binary frames only.', reconnect: false },
  1005: { sentence: 'The other side ended the connection without saying why.', reconnect: true },
  1006: { sentence: 'The connection broke.', reconnect: true },
  1008: { sentence: 'The other side found too many fragments in a frame.', reconnect: false },
  1009: { sentence: 'A frame was larger than the other side accepts.', reconnect: false },
};

/** Looks up what a close code means, the standard ones included. An unknown code is taken for a broken connection. */
export function describeCloseCode(code: number): CloseCode {
  for (const known of Object.values<CloseCode>(closeCodes)) if (known.code === code) return known;
  const standard = standardCodes[code] ?? {
    sentence: `The connection ended with code ${code}.`,
    reconnect: true,
  };
  return { code, ...standard };
}
