/** Something that is promised within a time, and how long it took. */
export interface Measured {
  what: string;
  limitMs: number;
  /** The worst case seen; null when it did not finish. */
  measuredMs: number | null;
}

/** A condition that must hold as well. */
export interface Held {
  what: string;
  isHeld: boolean;
  seen: string;
}

export type Measurement = Measured | Held;

export function isKept(measurement: Measurement): boolean {
  if ("isHeld" in measurement) return measurement.isHeld;
  const { measuredMs, limitMs } = measurement;
  return measuredMs !== null && measuredMs <= limitMs;
}

/** Cells of a table: what, limit, measured. */
export function toCells(measurement: Measurement): string[] {
  if ("isHeld" in measurement) return [measurement.what, "", measurement.seen];
  const { what, limitMs, measuredMs } = measurement;
  return [what, toSeconds(limitMs), measuredMs === null ? "never" : toSeconds(measuredMs)];
}

function toSeconds(ms: number): string {
  return `${(ms / 1_000).toFixed(ms < 1_000 ? 2 : 1)} s`;
}
