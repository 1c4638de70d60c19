// Group commits of the mirror's records.
import { type Database, isDatabaseUnavailable } from "@truerun/shared/db";
import { pause } from "@truerun/shared/pause";
import type { Logger } from "@truerun/shared/logger";
import type { MirrorPosition, MirrorRecord } from "./mirror-record.ts";
import { type RefusedRun, writeRecords } from "./mirror-statement.ts";

export interface MirrorWriter {
  /**
   * Resolves when the record is committed, or at once while the database is away: then it is kept and
   * written later. Never rejects: nothing that happens here may reach a component or a workflow.
   */
  write(record: MirrorRecord): Promise<void>;
  /** Writes what is held, for a while at most. */
  close(): Promise<void>;
  /** What was held, lost and written so far. */
  readonly counts: Readonly<{ held: number; dropped: number; written: number }>;
}

export interface MirrorWriterOptions {
  db: Database;
  logger: Logger;
  /**
   * Called for a Temporal run whose records the row refused: it may be a newer one, or must not be. What
   * it returns is waited for as if it were the writing of those records.
   */
  onRefused: (run: RefusedRun, refused: readonly MirrorRecord[]) => Promise<void>;
  /** Called for each record that the database has taken. */
  onWritten?: ((record: MirrorRecord) => void) | undefined;
  /** Called with the ids of steps that begin another time, before their writing is done. */
  onReopened?: ((stepIds: readonly string[]) => void) | undefined;
  limits?: Partial<MirrorLimits>;
}

/** What is held and sent at most. Sizes count the characters of the records' texts. */
export interface MirrorLimits {
  /** Held while the database is away; beyond it the oldest records go, and the reconciler restores them. */
  heldRecords: number;
  heldSize: number;
  /** In one statement. A batch that is too large to be written in time would never be. */
  batchRecords: number;
  batchSize: number;
}

const DEFAULT_LIMITS: MirrorLimits = {
  heldRecords: 100_000,
  heldSize: 128 * 1024 * 1024,
  batchRecords: 500,
  batchSize: 8 * 1024 * 1024,
};

/** How long until a failed write is tried again. */
const RETRY_MS = 1_000;
/** How long {@link MirrorWriter.close} tries. */
const CLOSE_MS = 5_000;

interface Held {
  record: MirrorRecord;
  size: number;
  done: (() => void)[];
}

export function createMirrorWriter(options: MirrorWriterOptions): MirrorWriter {
  return new BatchingWriter(options);
}

class BatchingWriter implements MirrorWriter {
  readonly #options: MirrorWriterOptions;
  readonly #limits: MirrorLimits;
  /** By row: a newer record of a row takes the older one's place. */
  readonly #held = new Map<string, Held>();
  #heldSize = 0;
  readonly counts = { held: 0, dropped: 0, written: 0 };
  #flushing: Promise<void> | undefined;
  /** Since a write failed, until one gets through. Nobody waits then: a dead Postgres must not slow runs. */
  #isAway = false;

  constructor(options: MirrorWriterOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
  }

  async write(record: MirrorRecord): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#hold({ record, size: sizeOf(record), done: [resolve] });
      if (this.#isAway) this.#releaseAll();
      this.#flushing ??= this.#flush();
    });
  }

  async close(): Promise<void> {
    const end = Date.now() + CLOSE_MS;
    while (this.#flushing !== undefined && Date.now() < end) {
      await Promise.race([this.#flushing, pause(200)]);
    }
    if (this.#held.size > 0) {
      this.#options.logger.error(
        { count: this.#held.size },
        "mirror records not written before the end",
      );
    }
  }

  #hold(entry: Held): void {
    const key = rowKey(entry.record);
    const older = this.#held.get(key);
    const { record, size } =
      older !== undefined && isNewer(older.record, entry.record) ? older : entry;
    this.#held.set(key, { record, size, done: [...(older?.done ?? []), ...entry.done] });
    this.#heldSize += size - (older?.size ?? 0);
    while (this.#held.size > this.#limits.heldRecords || this.#heldSize > this.#limits.heldSize) {
      this.#dropOldest();
    }
    this.counts.held = this.#held.size;
  }

  #dropOldest(): void {
    const [key, oldest] = this.#held.entries().next().value ?? [];
    if (key === undefined || oldest === undefined) return;
    this.#remove(key, oldest);
    this.counts.dropped++;
    for (const done of oldest.done) done();
  }

  #remove(key: string, { size }: Held): void {
    this.#held.delete(key);
    this.#heldSize -= size;
  }

  #releaseAll(): void {
    for (const entry of this.#held.values()) for (const done of entry.done.splice(0)) done();
  }

  async #flush(): Promise<void> {
    // What the activations at hand have to say, each all in one go, goes together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#held.size > 0) {
      const batch = this.#take();
      try {
        await this.#commit(batch);
        this.#setAway(false);
        for (const { done } of batch) for (const resolve of done) resolve();
      } catch (error) {
        this.#options.logger.warn(
          { err: error, count: batch.length },
          "mirror write failed; it is tried again",
        );
        this.#setAway(true);
        for (const entry of batch) this.#hold(entry);
        this.#releaseAll();
        await pause(RETRY_MS);
      }
    }
    this.#flushing = undefined;
  }

  #setAway(isAway: boolean): void {
    if (this.#isAway && !isAway) this.#options.logger.info(this.counts, "mirror writes again");
    this.#isAway = isAway;
  }

  /** The oldest records, but none of a second Temporal run of the same run. */
  #take(): Held[] {
    const batch: Held[] = [];
    const temporalRuns = new Map<string, string>();
    let size = 0;
    for (const [key, entry] of this.#held) {
      const { run_id, temporal_run_id } = entry.record;
      if ((temporalRuns.get(run_id) ?? temporal_run_id) !== temporal_run_id) continue;
      size += entry.size;
      if (batch.length > 0 && size > this.#limits.batchSize) break;
      temporalRuns.set(run_id, temporal_run_id);
      this.#remove(key, entry);
      batch.push(entry);
      if (batch.length === this.#limits.batchRecords) break;
    }
    this.counts.held = this.#held.size;
    return batch;
  }

  async #commit(batch: readonly Held[]): Promise<void> {
    const { db } = this.#options;
    try {
      const records = batch.map(({ record }) => record);
      const { refused, reopened } = await writeRecords(db, records);
      if (reopened.length > 0) this.#options.onReopened?.(reopened);
      this.counts.written += batch.length;
      for (const record of records) this.#options.onWritten?.(record);
      for (const run of refused) this.#handRefused(run, batch);
    } catch (error) {
      if (isDatabaseUnavailable(error)) throw error;
      // The database refuses the data of one of them: the others must not be lost with it.
      if (batch.length > 1) for (const entry of batch) await this.#commit([entry]);
      else this.#refused(batch, error);
    }
  }

  /** Others do not wait for what becomes of it. */
  #handRefused(run: RefusedRun, batch: readonly Held[]): void {
    const entries = batch.filter(({ record }) => record.run_id === run.run_id);
    const waiting = entries.flatMap(({ done }) => done.splice(0));
    const records = entries.map(({ record }) => record);
    void this.#options.onRefused(run, records).then(() => {
      for (const resolve of waiting) resolve();
    });
  }

  #refused(batch: readonly Held[], error: unknown): void {
    this.counts.dropped += batch.length;
    // Not the record itself: what components returned is not for the log.
    const rows = batch.map(({ record }) => rowKey(record));
    this.#options.logger.error({ err: error, rows }, "the database refuses a mirror record");
  }
}

function rowKey(record: MirrorRecord): string {
  const row = record.kind === "step" ? record.id : record.run_id;
  return `${row} ${record.temporal_run_id}`;
}

/** About what a record takes in memory and in a statement. */
function sizeOf(record: MirrorRecord): number {
  const texts =
    record.kind === "step"
      ? [record.output, record.artifacts, record.message, record.component_name]
      : [record.error_message];
  return texts.reduce((size, text) => size + (text?.length ?? 0), 500);
}

/** Whether `a` stands behind `b` in their Temporal run. */
function isNewer(a: MirrorPosition, b: MirrorPosition): boolean {
  if (a.mirror_length !== b.mirror_length) return a.mirror_length > b.mirror_length;
  if (a.mirror_time_ms !== b.mirror_time_ms) return a.mirror_time_ms > b.mirror_time_ms;
  return a.mirror_seq > b.mirror_seq;
}
