// What the counts cost writers: the service's own statements, with and without counts in turn.
import { pause } from "@truerun/shared/pause";
import { createRunCountingPass, COUNT_EVERY_MS } from "@truerun/worker/run-counts/count-runs";
import pg from "pg";
import { openWriter, type WriteTarget, type Writer, writeRuns } from "./write-runs.ts";

export interface WriteResult {
  /** Runs of each turn, each inserted, mirrored with three steps, and ended. */
  runs: number;
  rounds: WriteRound[];
}

/** How long the two turns of a round took. */
export interface WriteRound {
  /** Until the last change was added up. */
  withCountsMs: number;
  withoutMs: number;
}

/** Removes from a database what the counts added: restores the former indexes, drops the triggers. */
export async function removeCounts(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`
    DROP TRIGGER note_new_run ON workflow_runs;
    DROP TRIGGER note_run_status ON workflow_runs;
    DROP TRIGGER note_run_place ON workflow_runs;
    DROP TRIGGER note_gone_run ON workflow_runs;
    DROP INDEX workflow_runs_org_id_status_started_at_id_idx;
    DROP INDEX workflow_runs_org_id_definition_id_status_started_at_id_idx;
    CREATE INDEX ON workflow_runs (org_id, started_at DESC, id DESC);
    CREATE INDEX ON workflow_runs (org_id, definition_id, started_at DESC, id DESC)`);
  await client.end();
}

/**
 * Both write in turn. A turn with counts also pays for adding them up, so that none of it is left for another.
 *
 * @param withCounts - as migrated
 * @param without - after {@link removeCounts}
 */
export async function measureWrites(
  targets: { withCounts: WriteTarget; without: WriteTarget },
  { rounds, runs }: { rounds: number; runs: number },
): Promise<WriteResult> {
  const [counted, plain] = [openWriter(targets.withCounts), openWriter(targets.without)];
  const count = createRunCountingPass(counted.mirrorDb);
  const turns = {
    withCountsMs: () => writeAndCount(counted, count, runs),
    withoutMs: () => writeRuns(plain, runs),
  };
  const measured: WriteRound[] = [];
  try {
    for (let round = -1; round < rounds; round += 1) {
      const times = { withCountsMs: 0, withoutMs: 0 };
      const order = ["withCountsMs", "withoutMs"] as const;
      for (const kind of round % 2 === 0 ? order : order.toReversed()) {
        times[kind] = await turns[kind]();
      }
      // The first round only warms the caches.
      if (round >= 0) measured.push(times);
    }
    return { runs, rounds: measured };
  } finally {
    await Promise.all([counted.close(), plain.close()]);
  }
}

/**
 * Writes runs while a worker's pass adds up their changes as often as a worker does, and then whatever is left.
 *
 * @returns how long it took, in ms
 */
async function writeAndCount(
  writer: Writer,
  count: () => Promise<number>,
  runs: number,
): Promise<number> {
  const startedAt = performance.now();
  const written = new AbortController();
  const counting = async (): Promise<void> => {
    while (!written.signal.aborted) {
      await pause(COUNT_EVERY_MS, written.signal);
      await count();
    }
  };
  // A worker would go on after an error; here one makes the figures wrong.
  await Promise.all([writeRuns(writer, runs).finally(() => written.abort()), counting()]);
  while ((await count()) > 0);
  return performance.now() - startedAt;
}
