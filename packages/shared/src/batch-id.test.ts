import { describe, expect, it } from "vitest";
import { isBatchOf, parseBatchId, toBatchId, toBatchPrefix, toWorkflowRunId } from "./batch-id.ts";
import { newId } from "./ids.ts";

const workflowRunId = newId("cbwr");

describe("a batch's id", () => {
  it("looks as it always did: Temporal has those of earlier batches", () => {
    const items = { workflowRunId: "cbwr_1", componentKey: "each", first: 100, last: 199 };
    expect(toBatchId(items, "1f2e3d4c")).toBe("cbwr_1/each[100-199]/1f2e3d4c");
  });

  it.each(["each", "_", "a-b_C-9", "each[3]", "a[0-9]", "a/b", "a[0-9]/x", "é ]["])(
    "tells run, component %s and items",
    (componentKey) => {
      for (const [first, last] of [
        [0, 0],
        [9_900, 9_999],
      ] as const) {
        const items = { workflowRunId, componentKey, first, last };
        const id = toBatchId(items, "1f2e3d4c");
        expect(parseBatchId(id)).toEqual(items);
        expect(toWorkflowRunId(id)).toBe(workflowRunId);
        expect(id.startsWith(toBatchPrefix(workflowRunId))).toBe(true);
      }
    },
  );

  it("belongs to its run only", () => {
    const id = toBatchId({ workflowRunId, componentKey: "each", first: 0, last: 99 }, "1f2e3d4c");
    expect(isBatchOf(workflowRunId, id)).toBe(true);
    expect(isBatchOf(workflowRunId.slice(0, -1), id)).toBe(false);
    expect(isBatchOf(newId("cbwr"), id)).toBe(false);
  });

  it("is not a run's", () => {
    expect(parseBatchId(workflowRunId)).toBeNull();
    expect(isBatchOf(workflowRunId, workflowRunId)).toBe(false);
    expect(toWorkflowRunId(workflowRunId)).toBe(workflowRunId);
  });

  it.each(["", "/", "x/each/1f2e3d4c", "x/each[1]/1f2e3d4c", "x/each[0-9]", "x/[0-9]/1f2e3d4c"])(
    "is not %j",
    (workflowId) => {
      expect(parseBatchId(workflowId)).toBeNull();
    },
  );
});
