// The mirror's records that are not written yet.
import type { MirrorPosition, MirrorRecord } from "./mirror-record.ts";

/** Limits of what is held and sent. Sizes count the characters of the records' texts. */
export interface MirrorLimits {
  /** Held while the database is away; beyond it the oldest records are dropped, and the reconciler restores them. */
  heldRecords: number;
  heldSize: number;
  /** In one statement. A batch too large to be written in time would never be. */
  batchRecords: number;
  batchSize: number;
}

const DEFAULT_LIMITS: MirrorLimits = {
  heldRecords: 100_000,
  heldSize: 128 * 1024 * 1024,
  batchRecords: 500,
  batchSize: 8 * 1024 * 1024,
};

export interface Held {
  record: MirrorRecord;
  /** Who waits for its row. */
  done: (() => void)[];
}

/** One record for each row, in the order in which the rows came. */
export class HeldRecords {
  readonly #limits: MirrorLimits;
  readonly #rows = new Map<string, Held>();
  readonly #counts: { held: number; dropped: number };
  #size = 0;

  /** @param counts - kept up to date from here on */
  constructor(counts: { held: number; dropped: number }, limits: Partial<MirrorLimits> = {}) {
    this.#counts = counts;
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
  }

  get count(): number {
    return this.#rows.size;
  }

  /** A newer record of a row takes the older one's place. */
  hold({ record: given, done }: Held): void {
    const key = rowKey(given);
    const older = this.#rows.get(key);
    const record = older !== undefined && isNewer(older.record, given) ? older.record : given;
    this.#rows.set(key, { record, done: [...(older?.done ?? []), ...done] });
    this.#size += sizeOf(record) - (older === undefined ? 0 : sizeOf(older.record));
    const { heldRecords, heldSize } = this.#limits;
    while (this.#rows.size > heldRecords || this.#size > heldSize) this.#dropOldest();
    this.#counts.held = this.#rows.size;
  }

  /** The oldest records for one statement, of only one Temporal run for each run. */
  take(): Held[] {
    const batch: Held[] = [];
    const temporalRuns = new Map<string, string>();
    let size = 0;
    for (const [key, held] of this.#rows) {
      const { run_id, temporal_run_id } = held.record;
      if ((temporalRuns.get(run_id) ?? temporal_run_id) !== temporal_run_id) continue;
      size += sizeOf(held.record);
      if (batch.length > 0 && size > this.#limits.batchSize) break;
      temporalRuns.set(run_id, temporal_run_id);
      this.#remove(key, held);
      batch.push(held);
      if (batch.length === this.#limits.batchRecords) break;
    }
    this.#counts.held = this.#rows.size;
    return batch;
  }

  /** Ends all waiting; the records stay. */
  release(): void {
    for (const { done } of this.#rows.values()) for (const resolve of done.splice(0)) resolve();
  }

  #dropOldest(): void {
    const [key, oldest] = this.#rows.entries().next().value ?? [];
    if (key === undefined || oldest === undefined) return;
    this.#remove(key, oldest);
    this.#counts.dropped++;
    for (const resolve of oldest.done) resolve();
  }

  #remove(key: string, { record }: Held): void {
    this.#rows.delete(key);
    this.#size -= sizeOf(record);
  }
}

/** Tells the row of a record from other rows, and from those of other Temporal runs. */
export function rowKey(record: MirrorRecord): string {
  const row = record.kind === "step" ? record.id : record.run_id;
  return `${row} ${record.temporal_run_id}`;
}

/** Roughly what a record takes in memory and in a statement. */
function sizeOf(record: MirrorRecord): number {
  const texts =
    record.kind === "step"
      ? [record.output, record.artifacts, record.message, record.component_name]
      : [record.error_message];
  return texts.reduce((size, text) => size + (text?.length ?? 0), 500);
}

/** Whether `a` comes after `b` in their Temporal run. */
function isNewer(a: MirrorPosition, b: MirrorPosition): boolean {
  if (a.mirror_length !== b.mirror_length) return a.mirror_length > b.mirror_length;
  if (a.mirror_time_ms !== b.mirror_time_ms) return a.mirror_time_ms > b.mirror_time_ms;
  return a.mirror_seq > b.mirror_seq;
}
