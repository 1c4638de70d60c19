import type { Database } from "@truerun/shared/db";
import { describeExecution } from "@truerun/shared/describe-execution";
import type { Logger } from "@truerun/shared/logger";
import { endAbandonedBatches } from "./end-abandoned-batches.ts";
import type { MirrorRecord } from "./mirror-record.ts";
import type { RefusedRun } from "./mirror-statement.ts";
import { keepGoneBatches, projectRun, type ProjectionSource } from "./project-history.ts";
import { readRunRows } from "./run-rows.ts";
import { writeProjection } from "./write-projection.ts";

export interface Adopter {
  /** Looks at a Temporal run whose records the run's row refused. Returns at once. */
  consider(run: RefusedRun, refused: readonly MirrorRecord[]): void;
  /** Waits for what is under way. */
  close(): Promise<void>;
}

export interface AdopterOptions extends ProjectionSource {
  db: Database;
  logger: Logger;
  /** Writes a refused record again once the row mirrors its Temporal run. */
  rewrite: (record: MirrorRecord) => Promise<void>;
}

/**
 * A reset gives a run's workflow id a new Temporal run. Its first records do not fit the row, which
 * mirrors the old one. Only if Temporal says that it is the current one does the row move over to it, one
 * generation on; it is then projected afresh, which removes what came after the reset point.
 */
export function createAdopter(options: AdopterOptions): Adopter {
  const underWay = new Map<string, { refused: MirrorRecord[]; done: Promise<void> }>();

  async function run(key: string, foreign: RefusedRun, refused: MirrorRecord[]): Promise<void> {
    try {
      const adopted = await adopt(options, foreign);
      // The history may have been read before these were refused, or after: the guard decides.
      if (adopted) for (const record of refused) void options.rewrite(record);
    } catch (error) {
      options.logger.warn(
        { err: error, ...toLogFields(foreign) },
        "a run of another Temporal run was not adopted",
      );
    } finally {
      underWay.delete(key);
    }
  }

  return {
    consider(foreign, refused) {
      const key = `${foreign.run_id} ${foreign.temporal_run_id}`;
      const adoption = underWay.get(key);
      if (adoption !== undefined) {
        adoption.refused.push(...refused);
        return;
      }
      const held = [...refused];
      underWay.set(key, { refused: held, done: run(key, foreign, held) });
    },
    async close() {
      await Promise.all([...underWay.values()].map(({ done }) => done));
    },
  };
}

/** Under the names that all lines about runs have. */
function toLogFields({ run_id, temporal_run_id }: RefusedRun) {
  return { workflowRunId: run_id, temporalRunId: temporal_run_id };
}

async function adopt(options: AdopterOptions, foreign: RefusedRun): Promise<boolean> {
  const { run_id, temporal_run_id } = foreign;
  const { db, client, logger } = options;
  // First, and again below: while an abandoned Temporal run goes on, its rows need not be read at each record.
  if ((await describeExecution(client, run_id))?.runId !== temporal_run_id) return false;
  const row = await readRunRows(db, run_id);
  if (row === null) {
    logger.warn(toLogFields(foreign), "Temporal runs a workflow that has no row here");
    return false;
  }
  if (row.temporalRunId === temporal_run_id) return true;
  const current = await describeExecution(client, run_id);
  // A late record of an abandoned Temporal run: the row is right.
  if (current?.runId !== temporal_run_id) return false;
  const ofTemporal = await projectRun(options, run_id, temporal_run_id);
  const moved = await writeProjection(db, keepGoneBatches(ofTemporal, row), row);
  if (moved) {
    logger.info(toLogFields(foreign), "run moved to a new Temporal run");
    await endAbandonedBatches(client, ofTemporal);
  }
  // Somebody else may have been first.
  return moved || (await readRunRows(db, run_id))?.temporalRunId === temporal_run_id;
}
