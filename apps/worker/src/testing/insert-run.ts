// For tests only.
import type { Database } from "@truerun/shared/db";
import { newId } from "@truerun/shared/ids";

/** Inserts a run that belongs to nothing and is not dispatched, for tests of what the mirror writes. */
export async function insertRun(db: Database): Promise<string> {
  const id = newId("cbwr");
  await db.workflowRun.create({
    data: {
      id,
      orgId: "cborg_x",
      definitionId: "cbwd_x",
      definitionVersion: 1,
      workflowName: "x",
      input: {},
      requestHash: new Uint8Array(32),
    },
  });
  return id;
}
