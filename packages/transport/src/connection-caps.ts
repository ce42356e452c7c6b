import type { Socket } from 'node:net';
import { createRateLimits } from './rate-limit.ts';

/** How many connections a server holds. */
export interface ConnectionLimits {
  /** Channels in all; default 1,024. */
  readonly maxChannels: number;
  /** Channels from one address; default 256. */
  readonly maxChannelsPerAddress: number;
  /** Connections that have not shown a token yet, in all; default 1,024. Data requests count while they last. */
  readonly maxUnauthenticated: number;
  /** The same from one address; default 256. */
  readonly maxUnauthenticatedPerAddress: number;
  /** New connections a second from one address, and as many again at once after a pause; default 256. */
  readonly maxNewPerSecond: number;
}

export const defaultConnectionLimits: ConnectionLimits = {
  maxChannels: 1_024,
  maxChannelsPerAddress: 256,
  maxUnauthenticated: 1_024,
  maxUnauthenticatedPerAddress: 256,
  maxNewPerSecond: 256,
};

/** Counts holders in all and by address. */
export interface Cap {
  /** Takes a place until {@link release}; false if there is none. */
  take(address: string): boolean;
  release(address: string): void;
}

export function createCap(max: number, maxPerAddress: number): Cap {
  const counts = new Map<string, number>();
  let total = 0;
  return {
    take(address) {
      const count = counts.get(address) ?? 0;
      if (total >= max || count >= maxPerAddress) return false;
      counts.set(address, count + 1);
      total++;
      return true;
    },
    release(address) {
      const count = counts.get(address) ?? 0;
      if (count === 0) return;
      total--;
      if (count === 1) counts.delete(address);
      else counts.set(address, count - 1);
    },
  };
}

/** Counts connections from their start until they have shown the token or ended; drops those beyond the cap. */
export interface ConnectionWatch {
  readonly onConnection: (socket: Socket) => void;
  /** The connection has shown the token: it no longer counts here. */
  authenticated(socket: Socket): void;
}

export function createConnectionWatch(limits: ConnectionLimits): ConnectionWatch {
  const cap = createCap(limits.maxUnauthenticated, limits.maxUnauthenticatedPerAddress);
  const mayCome = createRateLimits(limits.maxNewPerSecond);
  const counted = new Map<string, string>();
  const release = (key: string): void => {
    const address = counted.get(key);
    if (address === undefined) return;
    counted.delete(key);
    cap.release(address);
  };
  return {
    onConnection(socket) {
      const address = socket.remoteAddress ?? '';
      const key = connectionKey(socket);
      if (!mayCome(address) || !cap.take(address)) {
        socket.destroy();
        return;
      }
      counted.set(key, address);
      socket.once('close', () => release(key));
    },
    authenticated: (socket) => release(connectionKey(socket)),
  };
}

/** Under TLS the socket of a request is another object than that of the connection; its two ends are the same. */
function connectionKey(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}
