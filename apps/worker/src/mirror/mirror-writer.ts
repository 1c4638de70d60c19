// Group commits of the mirror's records.
import { type Database, isDatabaseUnavailable } from "@truerun/shared/db";
import { pause } from "@truerun/shared/pause";
import type { Logger } from "@truerun/shared/logger";
import { type Held, HeldRecords, type MirrorLimits, rowKey } from "./held-records.ts";
import type { MirrorRecord } from "./mirror-record.ts";
import { type RefusedRun, takeBackEnds, writeRecords } from "./mirror-statement.ts";
import type { ReopenedStep } from "./reopened-steps.ts";

export interface MirrorWriter {
  /**
   * Resolves when the record is committed, or at once while the database is away: then it is kept and
   * written later. Never rejects: nothing that happens here may reach a component or a workflow.
   */
  write(record: MirrorRecord): Promise<void>;
  /** Writes the record along with the next one that is waited for, or after a moment. */
  writeSoon(record: MirrorRecord): void;
  /** Writes what is held, for a while at most. */
  close(): Promise<void>;
  /** What was held, lost and written so far. */
  readonly counts: Readonly<{ held: number; dropped: number; written: number }>;
}

export interface MirrorWriterOptions {
  db: Database;
  logger: Logger;
  /**
   * Called for a Temporal run whose records the row refused: it may be a newer one, or one that must not
   * run. Those who wait for the records wait for what this returns.
   */
  onRefused: (run: RefusedRun, refused: readonly MirrorRecord[]) => Promise<void>;
  /** Called for each record that the database has taken. */
  onWritten?: ((record: MirrorRecord) => void) | undefined;
  /** Called with steps that begin again, before their write resolves. */
  onReopened?: ((steps: readonly ReopenedStep[]) => void) | undefined;
  limits?: Partial<MirrorLimits>;
}

/** How long a record that nobody waits for is held, so that others can go with it. */
const SOON_MS = 50;
const RETRY_MS = 1_000;
/** How long {@link MirrorWriter.close} tries. */
const CLOSE_MS = 5_000;

/**
 * A writer for one process. Records that come while a statement is under way go together in the next one; of two
 * that are held for one row, only the newer goes.
 */
export function createMirrorWriter(options: MirrorWriterOptions): MirrorWriter {
  return new BatchingWriter(options);
}

class BatchingWriter implements MirrorWriter {
  readonly #options: MirrorWriterOptions;
  readonly #held: HeldRecords;
  readonly counts = { held: 0, dropped: 0, written: 0 };
  #flushing: Promise<void> | undefined;
  /** Whether what is held is to be written now. */
  #isWanted = false;
  #soon: NodeJS.Timeout | undefined;
  /** True from a failed write until one succeeds. Nobody waits then: a dead Postgres must not slow runs. */
  #isAway = false;

  constructor(options: MirrorWriterOptions) {
    this.#options = options;
    this.#held = new HeldRecords(this.counts, options.limits);
  }

  async write(record: MirrorRecord): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#held.hold({ record, done: this.#isAway ? [] : [resolve] });
      if (this.#isAway) resolve();
      this.#want();
    });
  }

  writeSoon(record: MirrorRecord): void {
    this.#held.hold({ record, done: [] });
    this.#soon ??= setTimeout(() => this.#want(), SOON_MS);
  }

  async close(): Promise<void> {
    const end = Date.now() + CLOSE_MS;
    this.#want();
    while (this.#flushing !== undefined && Date.now() < end) {
      await Promise.race([this.#flushing, pause(200)]);
    }
    const { count } = this.#held;
    if (count > 0)
      this.#options.logger.error({ count }, "mirror records not written before the end");
  }

  #want(): void {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    this.#isWanted = true;
    this.#flushing ??= this.#flush();
  }

  async #flush(): Promise<void> {
    // Gathers what the current activations record, each of them in one go.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#isWanted && this.#held.count > 0) {
      const batch = this.#held.take();
      this.#isWanted = this.#held.count > 0;
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
        for (const entry of batch) this.#held.hold(entry);
        this.#isWanted = true;
        this.#held.release();
        await pause(RETRY_MS);
      }
    }
    this.#flushing = undefined;
  }

  #setAway(isAway: boolean): void {
    if (this.#isAway && !isAway) this.#options.logger.info(this.counts, "mirror writes again");
    this.#isAway = isAway;
  }

  async #commit(batch: readonly Held[]): Promise<void> {
    const { db } = this.#options;
    try {
      const records = batch.map(({ record }) => record);
      const { refused, reopened } = await writeRecords(db, records);
      if (reopened.length > 0) await this.#reopen(reopened);
      this.counts.written += batch.length;
      for (const record of records) this.#options.onWritten?.(record);
      for (const run of refused) this.#handRefused(run, batch);
    } catch (error) {
      if (isDatabaseUnavailable(error)) throw error;
      // The database refuses the data of one record: the others must not be lost with it.
      if (batch.length > 1) for (const entry of batch) await this.#commit([entry]);
      else this.#refused(batch, error);
    }
  }

  async #reopen(steps: readonly ReopenedStep[]): Promise<void> {
    this.#options.onReopened?.(steps);
    try {
      await takeBackEnds(this.#options.db, steps);
    } catch (error) {
      this.#options.logger.warn(
        { err: error },
        "an end was not taken back; the reconciler does it",
      );
    }
  }

  /** Other records do not wait for what becomes of it. */
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
