// What the counts cost writers: the service's own statements, with and without counts in turn.
import { foldRunChanges } from "@truerun/shared/run-counts/fold-run-changes";
import pg from "pg";
import { median } from "../measure/statistics.ts";
import { openWriter, type WriteTarget, type Writer, writeRuns } from "./write-runs.ts";

export interface WriteResult {
  /** Runs a second, each inserted, mirrored with three steps, and ended. */
  withCounts: number;
  without: number;
  /** Time with counts divided by time without; the median of all rounds. */
  ratio: number;
}

const FOLD_EVERY_MS = 1_000;

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
 * @param withCounts - as migrated; changes are added up meanwhile, as by a worker
 * @param without - after {@link removeCounts}
 */
export async function measureWrites(
  targets: { withCounts: WriteTarget; without: WriteTarget },
  { rounds, runs }: { rounds: number; runs: number },
): Promise<WriteResult> {
  const [counted, plain] = [openWriter(targets.withCounts), openWriter(targets.without)];
  // A worker would go on after an error; here one makes the figures wrong.
  const failures: unknown[] = [];
  const folding = setInterval(() => {
    foldRunChanges(counted.mirrorDb).catch((error: unknown) => failures.push(error));
  }, FOLD_EVERY_MS);
  try {
    const ratios: number[] = [];
    const [countedMs, plainMs]: [number[], number[]] = [[], []];
    for (let round = -1; round < rounds; round += 1) {
      const first = round % 2 === 0 ? counted : plain;
      const times = new Map<Writer, number>();
      for (const writer of [first, first === counted ? plain : counted]) {
        times.set(writer, await writeRuns(writer, runs));
      }
      // The first round only warms the caches.
      if (round < 0) continue;
      const [withMs, withoutMs] = [times.get(counted) ?? 0, times.get(plain) ?? 0];
      countedMs.push(withMs);
      plainMs.push(withoutMs);
      ratios.push(withMs / withoutMs);
    }
    if (failures.length > 0) throw failures[0];
    const perSecond = (ms: number[]) => (runs * 1_000) / median(ms);
    return {
      withCounts: perSecond(countedMs),
      without: perSecond(plainMs),
      ratio: median(ratios),
    };
  } finally {
    clearInterval(folding);
    await Promise.all([counted.close(), plain.close()]);
  }
}
