// For tests only.
import { waitFor } from "@truerun/dev/testing/wait-for";
import { expect } from "vitest";
import { type Difference, diffRun } from "../mirror/diff-run.ts";
import { keepGoneBatches, projectRun } from "../mirror/project-history.ts";
import { readRunRows } from "../mirror/run-rows.ts";
import type { WorkerRig } from "./worker-rig.ts";

/** Until the reconciler has confirmed an end, its time is the workflow's and not yet that of Temporal's close. */
export const UNCONFIRMED: readonly Difference["field"][] = ["completed_at_ms"];

/** Waits until Temporal has closed the run; then its rows say what its history says, except in these fields. */
export async function expectProjected(
  rig: WorkerRig,
  id: string,
  except: readonly Difference["field"][] = [],
): Promise<void> {
  const handle = rig.client.workflow.getHandle(id);
  // The mirror's end is committed some milliseconds before.
  await waitFor(`Temporal to close ${id}`, async () => {
    return (await handle.describe()).closeTime !== undefined;
  });
  const rows = await readRunRows(rig.db, id);
  if (rows === null) throw new Error("The run has no row");
  const ofTemporal = await projectRun(rig, id, rows.temporalRunId ?? "");
  const differences = diffRun(rows, keepGoneBatches(ofTemporal, rows));
  expect(differences.filter(({ field }) => !except.includes(field))).toEqual([]);
}
