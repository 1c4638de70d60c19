// A gateway started with a new database keeps the plans that it made while the tables were empty.
import { randomUUID } from "node:crypto";
import { temporalAddress } from "@truerun/dev/testing/test-services";
import { waitFor } from "@truerun/dev/testing/wait-for";
import type { Database } from "@truerun/shared/db";
import { afterAll, beforeAll, expect, test } from "vitest";
import { echo, startTestGateway } from "./testing/test-gateway.ts";
import { createTestRig, type TestRig } from "./testing/test-rig.ts";

const OTHERS = 3_000;
const BEFORE = 3;
const AFTER = 10;

let rig: TestRig;
beforeAll(async () => {
  rig = await createTestRig();
});
afterAll(() => rig.close());

test("starts, repeats, marks and reads of runs read their own rows, whatever came after the plans were made", async () => {
  const gateway = await startTestGateway({
    DATABASE_URL: rig.databaseUrl,
    TEMPORAL_ADDRESS: temporalAddress(),
    TEMPORAL_TASK_QUEUE: randomUUID(),
    // One connection for starts, one for all else, so that the plans of the first round are used in all rounds.
    DATABASE_POOL_SIZE: "2",
  });
  const { key } = rig.org;
  const rounds = async (count: number): Promise<string> => {
    let id = "";
    for (let n = 0; n < count; n++) id = await round();
    await waitFor("the mark", () => isMarked(rig.db, id));
    return id;
  };
  const round = async (): Promise<string> => {
    const options = { key, headers: { "idempotency-key": randomUUID() } };
    const started = await gateway.send("POST", "/v1/workflows/echo/run", options);
    expect(started.status).toBe(201);
    const repeated = await gateway.send("POST", "/v1/workflows/echo/run", options);
    expect(repeated.headers["idempotent-replayed"]).toBe("true");
    const id = String(started.json["workflow_run_id"]);
    expect((await gateway.send("GET", `/v1/workflows/runs/${id}`, { key })).status).toBe(200);
    return id;
  };
  try {
    await gateway.send("PUT", "/v1/workflows/echo", { key, body: echo() });
    const first = await rounds(BEFORE);
    await rig.db.$executeRaw`
      INSERT INTO workflow_runs
      SELECT (jsonb_populate_record(run, jsonb_build_object('id', run.id || n))).*
        FROM workflow_runs AS run, generate_series(1, ${OTHERS}::int) AS n WHERE run.id = ${first}`;
    await rounds(AFTER);
  } finally {
    await gateway.stop();
  }
  const inserted = BEFORE + OTHERS + AFTER;
  // Connections report what they have read when they end, which `stop` does not wait for.
  const reads = await waitFor("what was read", async () => {
    const counts = await countRows(rig.db);
    return counts.inserted >= inserted && counts;
  });
  // Each copy made above has read its original.
  expect(reads.read - OTHERS).toBeLessThan(1_000);
});

/** Always by the index: what this reads is counted as well, and this connection would keep its plans, too. */
async function isMarked(db: Database, id: string): Promise<boolean> {
  const [, marked] = await db.$transaction([
    db.$executeRaw`SET LOCAL enable_seqscan = off`,
    db.$queryRaw<unknown[]>`
      SELECT id FROM workflow_runs WHERE id = ${id} AND dispatched_at IS NOT NULL`,
  ]);
  return marked.length > 0;
}

/** Rows of `workflow_runs` inserted and read since the database was created. */
async function countRows(db: Database): Promise<{ inserted: number; read: number }> {
  await db.$queryRaw`SELECT pg_stat_force_next_flush()::text`;
  const [row] = await db.$queryRaw<{ inserted: number; read: number }[]>`
    SELECT n_tup_ins::float8 AS inserted,
           (seq_tup_read + coalesce(idx_tup_fetch, 0))::float8 AS read
      FROM pg_stat_user_tables WHERE relname = 'workflow_runs'`;
  return row ?? { inserted: 0, read: 0 };
}
