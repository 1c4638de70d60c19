import { pause } from "@truerun/shared/pause";
import type { Database } from "@truerun/shared/db";
import type { Scene } from "../scene.ts";
import type { Measured } from "./time-limit.ts";
import { startRuns } from "./timed-runs.ts";

const RUNS = 30;
const STEPS = 10 * RUNS;
const START_EVERY_MS = 400;
const GIVE_UP_AFTER_MS = 120_000;
const LIMIT_MS = 1_000;
const SHARE = 0.99;

/** From the end of a component's attempt until its outcome is in the tables. */
export async function measureMirrorLag(scene: Scene): Promise<Measured> {
  const lags = new Map<string, number>();
  const runIds: string[] = [];
  const starting = (async () => {
    for (let n = 0; n < RUNS; n++) {
      runIds.push(...(await startRuns(scene, "ten quick effects", 1)));
      await pause(START_EVERY_MS);
    }
  })();
  const end = Date.now() + GIVE_UP_AFTER_MS;
  while (lags.size < STEPS && Date.now() < end) {
    for (const { id, finishedAt } of await readEnded(scene.db, runIds)) {
      if (!lags.has(id)) lags.set(id, Date.now() - finishedAt);
    }
    await pause(10);
  }
  await starting;
  const sorted = [...lags.values()].toSorted((a, b) => a - b);
  const measuredMs = lags.size < STEPS ? null : (sorted[Math.ceil(STEPS * SHARE) - 1] ?? null);
  return { what: `p99 of ${STEPS} steps' mirror lag in calm`, limitMs: LIMIT_MS, measuredMs };
}

async function readEnded(
  db: Database,
  runIds: readonly string[],
): Promise<{ id: string; finishedAt: number }[]> {
  return await db.$queryRaw`
    SELECT id, finished_at_ms::float8 AS "finishedAt" FROM workflow_run_steps
     WHERE run_id IN (SELECT json_array_elements_text(${JSON.stringify(runIds)}::json))
       AND status IS NOT NULL`;
}
