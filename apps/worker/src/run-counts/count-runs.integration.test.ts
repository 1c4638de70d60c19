import { useTestDatabase } from "@truerun/dev/testing/use-test-database";
import { waitFor } from "@truerun/dev/testing/wait-for";
import { createLogger } from "@truerun/shared/logger";
import { expect, test } from "vitest";
import { startRunCounting } from "./count-runs.ts";

/** Three batches. */
const RUNS = 15_000;

const { db } = useTestDatabase({ poolSize: 5 });

test("two workers count each change once, divide what grows, and free the changes' room", async () => {
  await db.$executeRaw`
    INSERT INTO workflow_runs (id, org_id, definition_id, definition_version, workflow_name, input,
                               request_hash, started_at)
    SELECT 'run ' || n, 'org', 'definition', 1, 'w', '{}', '', to_timestamp(n)
      FROM generate_series(1, ${RUNS}::int) AS n`;
  const bytes = async (): Promise<number> => {
    const [row] = await db.$queryRaw<{ bytes: number }[]>`
      SELECT pg_relation_size('workflow_run_changes')::int AS bytes`;
    return row?.bytes ?? 0;
  };
  const full = await bytes();
  const common = { db, logger: createLogger({ name: "test", level: "silent" }) };
  const metrics = { passDuration: () => undefined };
  const workers = [0, 1].map(() => startRunCounting({ ...common, metrics }));
  await waitFor("the changes to be added up", async () => {
    const [row] = await db.$queryRaw<{ any: boolean }[]>`
      SELECT EXISTS (SELECT FROM workflow_run_changes) AS any`;
    return row?.any === false;
  });
  // What was deleted while somebody else still read it is freed with a later batch.
  await waitFor("their room to be freed", async () => (await bytes()) < full / 2);
  await Promise.all(workers.map((worker) => worker.stop()));
  const blocks = await db.workflowRunCount.findMany({ where: { definitionId: "" } });
  expect(blocks.reduce((sum, { started }) => sum + started, 0)).toBe(RUNS);
  expect(Math.max(...blocks.map(({ started }) => started))).toBeLessThan(4_000);
});
