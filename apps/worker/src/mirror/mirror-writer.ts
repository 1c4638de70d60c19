// Group commits of the mirror's records.
import { type Database, isDatabaseUnavailable } from "@truerun/shared/db";
import type { Logger } from "@truerun/shared/logger";
import type { MirrorPosition, MirrorRecord } from "./mirror-record.ts";
import { type ForeignRun, writeRecords } from "./mirror-statement.ts";

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
  /** Called for a Temporal run whose records the row refused: it may be a newer one. */
  onForeign: (run: ForeignRun, refused: readonly MirrorRecord[]) => void;
}

/** Records in one statement. */
const MAX_BATCH = 500;
/** Records held while the database is away; beyond it the oldest goes, and the reconciler restores it. */
const MAX_HELD = 100_000;
/** How long nobody waits after an error: without this a dead Postgres slows every run. */
const BREAK_MS = 1_000;
/** How long {@link MirrorWriter.close} tries. */
const CLOSE_MS = 5_000;

interface Held {
  record: MirrorRecord;
  done: (() => void)[];
}

export function createMirrorWriter(options: MirrorWriterOptions): MirrorWriter {
  return new BatchingWriter(options);
}

class BatchingWriter implements MirrorWriter {
  readonly #options: MirrorWriterOptions;
  /** By row: a newer record of a row takes the older one's place. */
  readonly #held = new Map<string, Held>();
  readonly counts = { held: 0, dropped: 0, written: 0 };
  #flushing: Promise<void> | undefined;
  #brokenUntil = 0;

  constructor(options: MirrorWriterOptions) {
    this.#options = options;
  }

  async write(record: MirrorRecord): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#hold({ record, done: [resolve] });
      if (Date.now() < this.#brokenUntil) this.#releaseAll();
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
    if (older === undefined) {
      this.#held.set(key, entry);
      if (this.#held.size > MAX_HELD) this.#dropOldest();
    } else {
      const record = isNewer(older.record, entry.record) ? older.record : entry.record;
      this.#held.set(key, { record, done: [...older.done, ...entry.done] });
    }
    this.counts.held = this.#held.size;
  }

  #dropOldest(): void {
    const oldest = this.#held.entries().next().value;
    if (oldest === undefined) return;
    this.#held.delete(oldest[0]);
    this.counts.dropped++;
    for (const done of oldest[1].done) done();
  }

  #releaseAll(): void {
    for (const entry of this.#held.values()) for (const done of entry.done.splice(0)) done();
  }

  async #flush(): Promise<void> {
    // One activation hands over all its records in one go: let them arrive, so that they go together.
    await Promise.resolve();
    while (this.#held.size > 0) {
      const batch = this.#take();
      try {
        await this.#commit(batch);
        for (const { done } of batch) for (const resolve of done) resolve();
      } catch (error) {
        this.#options.logger.warn(
          { err: error, count: batch.length },
          "mirror write failed; it is tried again",
        );
        this.#brokenUntil = Date.now() + BREAK_MS;
        for (const entry of batch) this.#hold(entry);
        this.#releaseAll();
        await pause(BREAK_MS);
      }
    }
    this.#flushing = undefined;
  }

  /** The oldest records, but none of a second Temporal run of the same run. */
  #take(): Held[] {
    const batch: Held[] = [];
    const temporalRuns = new Map<string, string>();
    for (const [key, entry] of this.#held) {
      const { run_id, temporal_run_id } = entry.record;
      if ((temporalRuns.get(run_id) ?? temporal_run_id) !== temporal_run_id) continue;
      temporalRuns.set(run_id, temporal_run_id);
      this.#held.delete(key);
      batch.push(entry);
      if (batch.length === MAX_BATCH) break;
    }
    this.counts.held = this.#held.size;
    return batch;
  }

  async #commit(batch: readonly Held[]): Promise<void> {
    const { db, onForeign } = this.#options;
    try {
      const records = batch.map(({ record }) => record);
      const foreign = await writeRecords(db, records);
      this.counts.written += batch.length;
      for (const run of foreign) {
        onForeign(
          run,
          records.filter(({ run_id }) => run_id === run.run_id),
        );
      }
    } catch (error) {
      if (isDatabaseUnavailable(error)) throw error;
      // The database refuses the data of one of them: the others must not be lost with it.
      if (batch.length > 1) for (const entry of batch) await this.#commit([entry]);
      else this.#refused(batch, error);
    }
  }

  #refused(batch: readonly Held[], error: unknown): void {
    this.counts.dropped += batch.length;
    this.#options.logger.error(
      { err: error, record: batch[0]?.record },
      "the database refuses a mirror record",
    );
  }
}

function rowKey(record: MirrorRecord): string {
  const row = record.kind === "step" ? record.id : record.run_id;
  return `${row} ${record.temporal_run_id}`;
}

/** Whether `a` stands behind `b` in their Temporal run. */
function isNewer(a: MirrorPosition, b: MirrorPosition): boolean {
  if (a.mirror_length !== b.mirror_length) return a.mirror_length > b.mirror_length;
  if (a.mirror_time_ms !== b.mirror_time_ms) return a.mirror_time_ms > b.mirror_time_ms;
  return a.mirror_seq > b.mirror_seq;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
