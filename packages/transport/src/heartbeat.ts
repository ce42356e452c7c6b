/** How silence is noticed. */
export interface HeartbeatOptions {
  /** Time between looks, and between the server's pings; default 5,000. */
  readonly intervalMs: number;
  /** The connection ends after this much silence; default 30,000. */
  readonly silenceMs: number;
}

export const defaultHeartbeat: HeartbeatOptions = { intervalMs: 5_000, silenceMs: 30_000 };

/** What the heartbeat watches. */
export interface HeartbeatSubject {
  /** Messages, pings and pongs that have arrived whole. */
  readonly received: () => number;
  /** Bytes ever received: a kilobyte is a sign of life as well, so that one large frame on a slow line is not silence. */
  readonly receivedBytes: () => number;
  /** Bytes waiting to be sent: until they are through, the other side has nothing to answer. */
  readonly bufferedBytes: () => number;
  /** Whether we ourselves stopped reading: then nothing can be heard. */
  readonly isPaused: () => boolean;
  readonly ping: () => void;
  readonly onSilence: (silentMs: number) => void;
}

/** The slowest line that is waited for, in bytes a millisecond (about 1 MiB/s). */
export const slowestBytesPerMs = 1_000;

/**
 * Pings and looks for signs of life until the returned function is called.
 *
 * Silence is counted in looks, not read from a clock: after a machine has slept, or the clock has jumped, a single
 * interval has passed and the other side gets its time to answer.
 */
export function startHeartbeat(
  subject: HeartbeatSubject,
  { intervalMs, silenceMs }: HeartbeatOptions,
): () => void {
  let { received, kilobytes } = signsOf(subject);
  let silentMs = 0;
  const look = (): void => {
    const now = signsOf(subject);
    const isHeard = now.received !== received || now.kilobytes !== kilobytes;
    silentMs = isHeard || subject.isPaused() ? 0 : silentMs + intervalMs;
    ({ received, kilobytes } = now);
    const patienceMs = silenceMs + subject.bufferedBytes() / slowestBytesPerMs;
    if (silentMs >= patienceMs) subject.onSilence(silentMs);
    else subject.ping();
  };
  const timer = setInterval(look, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}

/**
 * A few bytes alone say nothing: where a length was damaged on the way, the other side's pongs are taken for the rest of
 * a message that never ends.
 */
function signsOf({ received, receivedBytes }: HeartbeatSubject): { received: number; kilobytes: number } {
  return { received: received(), kilobytes: Math.floor(receivedBytes() / 1024) };
}
