import { createTestDatabase, type TestDatabase } from "@truerun/dev/testing/test-services";
import { waitFor } from "@truerun/dev/testing/wait-for";
import { createDatabase, type Database } from "@truerun/shared/db";
import { afterAll, beforeAll, expect, test } from "vitest";
import { asLeader } from "./as-leader.ts";

let database: TestDatabase;
let db: Database;
beforeAll(async () => {
  database = await createTestDatabase();
  db = createDatabase({ url: database.url, poolSize: 5, applicationName: "test" });
});
afterAll(async () => {
  await db.$disconnect();
  await database.drop();
});

/** A pass that lasts until it is told to end. */
async function holdLead(): Promise<{ end(): Promise<void> }> {
  return await new Promise((resolve) => {
    const pass = asLeader(db, "test", async () => {
      await new Promise<void>((release) => {
        resolve({
          async end() {
            release();
            await pass;
          },
        });
      });
    });
    // Whoever ends it is told of its failure; until then nobody listens.
    void Promise.allSettled([pass]);
  });
}

test("one pass of a name at a time; others go on", async () => {
  const first = await holdLead();
  expect(await asLeader(db, "test", async () => 1)).toBeNull();
  expect(await asLeader(db, "other", async () => 1)).toBe(1);
  await first.end();
  expect(await asLeader(db, "test", async () => 1)).toBe(1);
});

test("a leader that does nothing loses its place within ten seconds or so", async () => {
  const frozen = await holdLead();
  await waitFor("another leader", () => asLeader(db, "test", async () => true), 14_000);
  await expect(frozen.end()).rejects.toThrow(/not queryable|terminat|closed/);
});

test("a pass that fails gives its place back", async () => {
  const failed = asLeader(db, "test", () => Promise.reject(new Error("planned")));
  await expect(failed).rejects.toThrow("planned");
  expect(await asLeader(db, "test", async () => 1)).toBe(1);
});
