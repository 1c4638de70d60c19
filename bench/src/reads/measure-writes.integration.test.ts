import { createTestDatabase } from "@truerun/dev/testing/test-services";
import { createDatabase } from "@truerun/shared/db";
import { expect, test } from "vitest";
import { DEFAULT_PLAN } from "../load/load-plan.ts";
import { loadRuns } from "../load/load-runs.ts";
import { measureWrites, removeCounts } from "./measure-writes.ts";

const LOADED = 30;
const WRITTEN = 20;
const ROUNDS = 2;
const plan = { ...DEFAULT_PLAN, runs: LOADED, otherRuns: 0 };

test("a turn with counts ends when all is added up; one without makes nothing to add up", async () => {
  const databases = await Promise.all([createTestDatabase(), createTestDatabase()]);
  const [withCounts, without] = await Promise.all(
    databases.map(async ({ url }) => {
      const org = await loadRuns({ url, plan, onProgress: () => undefined });
      return { url, ...org };
    }),
  );
  if (withCounts === undefined || without === undefined) throw new Error("There are no databases");
  await removeCounts(without.url);

  const result = await measureWrites({ withCounts, without }, { rounds: ROUNDS, runs: WRITTEN });
  expect(result.rounds).toHaveLength(ROUNDS);
  // The first round is not reported.
  const all = LOADED + (ROUNDS + 1) * WRITTEN;
  expect(await countIn(withCounts.url)).toEqual({ runs: all, counted: all, changes: 0 });
  expect(await countIn(without.url)).toEqual({ runs: all, counted: LOADED, changes: 0 });
  for (const database of databases) await database.drop();
});

async function countIn(url: string) {
  const db = createDatabase({ url, poolSize: 1, applicationName: "test" });
  const [row] = await db.$queryRaw<object[]>`
    SELECT (SELECT count(*) FROM workflow_runs)::int AS runs,
           (SELECT sum(started + completed + canceled + failed) FROM workflow_run_counts
             WHERE definition_id = '')::int AS counted,
           (SELECT count(*) FROM workflow_run_changes)::int AS changes`;
  await db.$disconnect();
  return row;
}
