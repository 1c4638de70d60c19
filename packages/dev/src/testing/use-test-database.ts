import { createDatabase, type Database } from "@truerun/shared/db";
import { afterAll, beforeAll } from "vitest";
import { nameTestDatabase } from "./test-services.ts";

/**
 * A database for all tests of the file that calls this at its top: made before them, dropped after them. `db` opens
 * nothing until its first statement, so both can be taken apart at once.
 */
export function useTestDatabase({ poolSize }: { poolSize: number }): { url: string; db: Database } {
  const database = nameTestDatabase();
  const { url } = database;
  const db = createDatabase({ url, poolSize, applicationName: "test" });
  beforeAll(() => database.create());
  afterAll(async () => {
    await db.$disconnect();
    await database.drop();
  });
  return { url, db };
}
