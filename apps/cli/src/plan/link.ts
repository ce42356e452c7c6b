import { InvalidArgumentError } from 'commander';

/** The way between one worker and its coordinator. */
export interface Link {
  readonly downBitsPerSecond: number;
  readonly upBitsPerSecond: number;
  /** There and back again, of a small message. */
  readonly roundTripMs: number;
}

/** No way at all: coordinator and workers on one machine. */
export const loopback: Link = {
  downBitsPerSecond: Number.POSITIVE_INFINITY,
  upBitsPerSecond: Number.POSITIVE_INFINITY,
  roundTripMs: 0,
};

const factors: Readonly<Record<string, number>> = { kbit: 1e3, mbit: 1e6, gbit: 1e9 };

/**
 * Reads `20mbit,50ms`: bits a second in both directions and the round-trip time; `100mbit/20mbit,50ms` has another
 * rate upwards. Throws InvalidArgumentError, as commander expects.
 */
export function parseLink(text: string): Link {
  const rate = String.raw`(\d+(?:\.\d+)?)(kbit|mbit|gbit)`;
  const match = new RegExp(`^${rate}(?:/${rate})?,(\\d+(?:\\.\\d+)?)ms$`, 'i').exec(text);
  const [, down, downUnit = '', up = down, upUnit = downUnit, roundTrip] = match ?? [];
  const link = {
    downBitsPerSecond: bits(down, downUnit),
    upBitsPerSecond: bits(up, upUnit),
    roundTripMs: Number(roundTrip),
  };
  if (match && link.downBitsPerSecond > 0 && link.upBitsPerSecond > 0) return link;
  throw new InvalidArgumentError('Expected rate and round-trip time, for example 20mbit,50ms.');
}

function bits(value: string | undefined, unit: string): number {
  return Number(value) * (factors[unit.toLowerCase()] ?? Number.NaN);
}

/** For people: `20 Mbit/s, 50 ms round trip`. */
export function describeLink({ downBitsPerSecond, upBitsPerSecond, roundTripMs }: Link): string {
  if (downBitsPerSecond === Number.POSITIVE_INFINITY) return 'on one machine';
  const [down, up] = [downBitsPerSecond, upBitsPerSecond].map((bits) => `${round(bits / 1e6)} Mbit/s`);
  return `${down === up ? down : `${down} down, ${up} up`}, ${round(roundTripMs)} ms round trip`;
}

function round(value: number): string {
  return String(Number(value.toPrecision(3)));
}
