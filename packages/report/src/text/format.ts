/** `3.2 s`, `2 min 05 s`, `1 h 02 min`, `3 d 04 h`; `?` for a time that is not known. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return '?';
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${twoDigits(whole % 60)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${twoDigits(minutes % 60)} min`;
  const hours = Math.round(seconds / 3600);
  return `${Math.floor(hours / 24)} d ${twoDigits(hours % 24)} h`;
}

/** A whole number with commas: `60,000`. Fractions are rounded. */
export function formatCount(count: number): string {
  // Not by locale: a report reads the same everywhere.
  return Number.isFinite(count) ? Math.round(count).toLocaleString('en') : '?';
}

/** `1 lease`, `60,000 leases`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Bytes in powers of 1000: `512 B`, `11.6 MB`. */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return '?';
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= (unit === 0 ? 1000 : 999.95) && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** A share in [0, 1] as `98.92 %`. */
export function formatPercent(share: number, digits = 2): string {
  return Number.isFinite(share) ? `${(share * 100).toFixed(digits)} %` : '?';
}

/** A loss with four significant digits: `0.03214`, `2.303`, `1.2e-7`. */
export function formatLoss(loss: number): string {
  if (!Number.isFinite(loss)) return String(loss);
  return loss !== 0 && Math.abs(loss) < 1e-4 ? loss.toExponential(1) : loss.toPrecision(4);
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
